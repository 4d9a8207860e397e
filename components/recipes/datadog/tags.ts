import { z } from "zod";
import { type FormIssue, matching } from "../../forms";
import type { DatadogArgs } from "./types";

/** Characters that end a line, are invisible, or are half of a character. */
const control = /[\0-\x1f\x7f-\x9f\u2028\u2029]|\p{Cs}/u;

/** What a tag may have besides letters and digits; Datadog makes "_" of everything else. */
const rewritten = /[^\p{L}\p{N}_:./-]+/gu;

/** Datadog cuts a longer tag, so two tags could become one. */
const LONGEST = 200;

const key = matching(
    (text) => /^\p{L}[^:]*$/u.test(text) && !control.test(text),
    "expected a key that begins with a letter and has no colon and no line break",
);

/** The value of a tag. One without a letter or digit would be empty in Datadog. */
export const tagValue = matching(
    (text) => /[\p{L}\p{N}]/u.test(text) && !control.test(text) && !text.endsWith(":"),
    "expected a value with a letter or a digit, without line breaks and without a colon at its end",
);

export const tagsForm = z.record(
    key,
    z.union([tagValue, z.array(tagValue, { message: "expected a list of values" })]),
    { message: "expected an object with keys and values of tags" },
);

/** What tags are made of. */
type Tagged = Pick<DatadogArgs, "environment" | "tags">;

/** All tags but the environment, as Datadog writes them. */
export function tagTexts({ tags = {} }: Tagged): string[] {
    const texts = Object.entries(tags).flatMap(([name, values]) => [values].flat().map((value) => `${name}:${value}`));
    return [...new Set(texts)];
}

/** The environment as a tag; `env` of the agent's settings is the same. */
export function environmentTag({ environment }: Tagged): string[] {
    return environment === undefined ? [] : [`env:${environment}`];
}

/** The service that log lines belong to. A line has exactly one, so several tags name none. */
export function serviceName({ tags = {} }: Tagged): string {
    const [service = "haproxy", ...more] = [tags.service ?? []].flat();
    return more.length > 0 ? "haproxy" : service;
}

/** Tags that Datadog would cut, or that contradict other arguments. */
export function tagIssues(args: Tagged): FormIssue[] {
    const long = tagged(args)
        .filter(({ tag }) => [...tag].length > LONGEST)
        .map(({ path, tag }) => ({
            path,
            message: `a tag of ${[...tag].length} characters, of which Datadog keeps ${LONGEST}; shorten it`,
        }));
    const twice = args.environment !== undefined && Object.hasOwn(args.tags ?? {}, "env");
    return [
        ...long,
        ...(twice ? [{ path: "tags.env", message: "environment is set, too; set only one of them" }] : []),
    ];
}

/**
 * Tags that Datadog shows with another text than declared, without a word: it makes capitals small, and "_" of everything that is no
 * letter, digit or one of `_-:./`. Such a tag works, but people search for what they wrote.
 *
 * @param args arguments without issues
 */
export function tagWarnings(args: Tagged): FormIssue[] {
    return tagged(args)
        .filter(({ tag }) => shown(tag) !== tag)
        .map(({ path, tag }) => ({
            path,
            message: `Datadog shows ${JSON.stringify(tag)} as ${JSON.stringify(shown(tag))}; write it like that`,
        }));
}

/** As the trace agent's NormalizeTag does it: datadog-agent, pkg/trace/traceutil/normalize.go. */
function shown(tag: string): string {
    return tag.toLowerCase().replace(rewritten, "_").replace(/_+/g, "_").replace(/_$/, "");
}

/** Every tag with the argument that it comes from. */
function tagged(args: Tagged): { readonly path: string; readonly tag: string }[] {
    const { tags = {} } = args;
    return [
        ...environmentTag(args).map((tag) => ({ path: "environment", tag })),
        ...Object.entries(tags).flatMap(([name, values]) =>
            [values].flat().map((value) => ({ path: `tags.${name}`, tag: `${name}:${value}` })),
        ),
    ];
}
