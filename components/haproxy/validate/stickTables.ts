import type { StickTable } from "../model";
import type { PlacedProxy } from "../model/lookup";
import { type IssueList, show } from "./issues";

/** Faults of stick tables: section 4.2, keyword `stick-table`. */
export function stickTableIssues({ section, proxy, path: parent }: PlacedProxy, issues: IssueList): void {
    const { stickTable: table } = proxy;
    if (!table) {
        return;
    }
    const path = `${parent}.stickTable`;
    const where = `the stick table of ${section} ${proxy.name}`;
    if (!/^0*[1-9]\d*[kmgKMG]?$/.test(table.size)) {
        issues.error(
            `${path}.size`,
            `invalid size ${show(table.size)} of ${where}: use a number, with k or m, like "100k"`,
        );
    }
    issues.whole(table.length, 1, 1024, `${path}.length`, `length of ${where}`);
    if (table.length !== undefined && table.type !== "string" && table.type !== "binary") {
        issues.error(`${path}.length`, `length of ${where}, which has keys of type ${table.type}: leave it out`);
    }
    issues.duration(table.expire, `${path}.expire`, `expire of ${where}`);
    storeIssues(table, path, where, issues);
}

/** Every entry by its form: a counter, a rate with its period, an array with its size, or an array of rates with both. */
function storeIssues({ store = [] }: StickTable, path: string, where: string, issues: IssueList): void {
    const names = store.map((text) => text.split("(", 1)[0] as string);
    issues.unique(names, (i) => `${path}.store.${i}`, `store of ${where}`);
    store.forEach((text, i) => {
        const place = `${path}.store.${i}`;
        const name = names[i] as string;
        const form = forms[name];
        issues.keywords(`store ${text}`, place, where, "table");
        if (form === undefined) {
            issues.error(place, `unknown store ${show(text)} of ${where}: use ${Object.keys(forms).join(", ")}`);
        } else if (!form.pattern.test(text.slice(name.length))) {
            issues.error(place, `invalid store ${show(text)} of ${where}: write it like "${name}${form.like}"`);
        }
    });
}

const period = "\\d+(us|ms|s|m|h|d)?";
const counter = { pattern: /^$/, like: "" };
const rate = { pattern: new RegExp(`^\\(${period}\\)$`), like: "(10s)" };
const array = { pattern: /^\(\d+\)$/, like: "(2)" };
const rates = { pattern: new RegExp(`^\\(\\d+,${period}\\)$`), like: "(2,10s)" };

const forms: Readonly<Record<string, { readonly pattern: RegExp; readonly like: string }>> = {
    server_id: counter,
    server_key: counter,
    gpc: array,
    gpc_rate: rates,
    gpc0: counter,
    gpc0_rate: rate,
    gpc1: counter,
    gpc1_rate: rate,
    gpt: array,
    gpt0: counter,
    conn_cnt: counter,
    conn_cur: counter,
    conn_rate: rate,
    sess_cnt: counter,
    sess_rate: rate,
    http_req_cnt: counter,
    http_req_rate: rate,
    http_err_cnt: counter,
    http_err_rate: rate,
    http_fail_cnt: counter,
    http_fail_rate: rate,
    bytes_in_cnt: counter,
    bytes_in_rate: rate,
    bytes_out_cnt: counter,
    bytes_out_rate: rate,
    glitch_cnt: counter,
    glitch_rate: rate,
};
