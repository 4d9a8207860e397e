import { dataBagVersion, decryptDataBag, describePem, encryptDataBag, readDataBagItem } from "../../components/tls";
import { type Parsed, UsageError, unknown } from "../arguments";
import { fileText, written } from "./files";
import { readSecret } from "./secret";

export const dataBagOptions = {
    "secret-file": { type: "string" },
    "secret-env": { type: "string" },
    // Only to say why there is none.
    secret: { type: "string" },
    output: { type: "string", short: "o" },
    private: { type: "boolean" },
} as const;

type Arguments = Parsed<typeof dataBagOptions>;
type Values = Arguments["values"];

/** Encrypts or shows an item of a Chef data bag, and returns the exit status. */
export async function dataBag({ positionals: [action = "", ...rest], values }: Arguments): Promise<number> {
    if (values.secret !== undefined) {
        throw new UsageError("other users can read arguments; give the secret by --secret-file, --secret-env or input");
    }
    switch (action) {
        case "encrypt":
            return encrypt(rest, values);
        case "show":
            return show(rest, values);
        default:
            throw new UsageError(unknown("action", action || "(none)", ["encrypt", "show"]));
    }
}

const secretOf = (values: Values, repeat: boolean) =>
    readSecret({ file: values["secret-file"], variable: values["secret-env"], repeat });

async function encrypt([id, ...fields]: readonly string[], values: Values): Promise<number> {
    if (id === undefined || fields.length === 0) {
        throw new UsageError("expected the id of the item, and KEY=@FILE for each value");
    }
    if (values.private) {
        throw new UsageError("--private belongs to show");
    }
    const texts = new Map<string, string>();
    for (const field of fields) {
        const [, key, file] = /^([^=]+)=@(.+)$/s.exec(field) ?? [];
        if (key === undefined || file === undefined) {
            // The value may be a secret: it is not repeated.
            const which = field.includes("=") ? `${field.slice(0, field.indexOf("="))}=` : "a value";
            throw new UsageError(
                `${which}: values come from files, because other users can read arguments; use KEY=@FILE`,
            );
        }
        if (texts.has(key)) {
            throw new UsageError(`two values for ${key}; give one`);
        }
        texts.set(key, fileText(file));
    }
    const item = encryptDataBag(id, Object.fromEntries(texts), await secretOf(values, true));
    const json = `${JSON.stringify(item, null, 2)}\n`;
    if (values.output === undefined) {
        process.stdout.write(json);
    } else {
        written(values.output, json);
        process.stderr.write(`wrote item ${id} with ${[...texts.keys()].join(", ")} to ${values.output}\n`);
    }
    return 0;
}

async function show([file, ...more]: readonly string[], values: Values): Promise<number> {
    if (file === undefined || more.length > 0) {
        throw new UsageError(`expected the file of one item, got ${file === undefined ? 0 : more.length + 1}`);
    }
    if (values.output !== undefined) {
        throw new UsageError("--output belongs to encrypt");
    }
    const json = fileText(file);
    const item = readDataBagItem(json);
    const plain = decryptDataBag(json, await secretOf(values, false));
    const lines = Object.entries(plain).flatMap(([key, value]) => [
        `${key} (version ${dataBagVersion(item.values[key])})`,
        ...(values.private ? inClear(value) : publicParts(value)).map((line) => `  ${line}`),
    ]);
    process.stdout.write(`${[`item ${item.id}`, ...lines].join("\n")}\n`);
    return 0;
}

function inClear(value: unknown): string[] {
    return (typeof value === "string" ? value : JSON.stringify(value, null, 2)).replace(/\n$/, "").split("\n");
}

/** The certificates of a value. Everything else may be secret. */
function publicParts(value: unknown): string[] {
    const text = typeof value === "string" ? value : "";
    const described = describePem(text);
    const rest = text.replace(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs, "").trim();
    return [...described, ...(rest === "" && text !== "" ? [] : ["not shown; --private shows it"])];
}
