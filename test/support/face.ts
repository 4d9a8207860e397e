import { join } from "node:path";
import ts from "typescript";

export const root = join(__dirname, "..", "..");
const components = join(root, "components");

/** The compiler's settings of users who are strict, with the face under the package's name. */
function userOptions(): ts.CompilerOptions {
    const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root);
    return {
        ...options,
        strict: true,
        noUnusedLocals: false,
        noEmit: true,
        paths: { "haproxy-fleet": [join(components, "index.ts")] },
    };
}

/** The compiler's errors in users' programs, by the paths that they would have. They are on no disk, and may import this package. */
export function compilerErrors(files: ReadonlyMap<string, string>): string {
    const options = userOptions();
    const host = ts.createCompilerHost(options);
    const { readFile, fileExists } = host;
    host.readFile = (file) => files.get(file) ?? readFile(file);
    host.fileExists = (file) => files.has(file) || fileExists(file);
    const program = ts.createProgram([...files.keys()], options, host);
    // Of these files only: `npm test types` judges the rest.
    const found = [...files.keys()].flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)));
    return ts.formatDiagnostics(found, host);
}

/** Something that users can import, or a part of it. */
export interface Documented {
    /** As users write it: `haproxy.Service.name`. */
    readonly name: string;
    readonly symbol: ts.Symbol;
    readonly documentation: string;
    /** Code of its `@example`s, whole programs. */
    readonly examples: readonly string[];
    /** The types of this package that its declaration mentions. */
    readonly mentions: readonly ts.Symbol[];
    /** Whether it is a class, a function, or a constant that is one. */
    readonly isCallable: boolean;
    /** Whether it is exported itself, and no part of something else. */
    readonly isExported: boolean;
}

/** Everything on the face: what it exports, also in namespaces, with the fields of types and the members of classes. */
export function documentedOnFace(): Documented[] {
    const file = join(components, "index.ts");
    const program = ts.createProgram([file], userOptions());
    const checker = program.getTypeChecker();
    const source = program.getSourceFile(file);
    const module = source && checker.getSymbolAtLocation(source);
    if (!module) {
        throw new Error(`${file} exports nothing`);
    }
    return exportsOf(checker, module, "");
}

function exportsOf(checker: ts.TypeChecker, module: ts.Symbol, prefix: string): Documented[] {
    return checker.getExportsOfModule(module).flatMap((exported) => {
        const name = `${prefix}${exported.name}`;
        const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
        if (symbol.flags & ts.SymbolFlags.ValueModule) {
            return exportsOf(checker, symbol, `${name}.`);
        }
        const { valueDeclaration } = symbol;
        const type = valueDeclaration && checker.getTypeOfSymbolAtLocation(symbol, valueDeclaration);
        const isCallable =
            type !== undefined && [...type.getCallSignatures(), ...type.getConstructSignatures()].length > 0;
        const members = (symbol.declarations ?? []).flatMap((declaration) => membersIn(declaration, checker));
        return [
            {
                ...describe(checker, name, symbol),
                mentions: (symbol.declarations ?? []).flatMap((declaration) => mentionedIn(declaration, checker)),
                isCallable,
                isExported: true,
            },
            ...members.map((member) => ({
                ...describe(checker, `${name}.${member.name}`, member),
                mentions: [],
                isCallable: false,
                isExported: false,
            })),
        ];
    });
}

function describe(checker: ts.TypeChecker, name: string, symbol: ts.Symbol) {
    const tags = symbol.getJsDocTags(checker);
    return {
        name,
        symbol,
        documentation: [
            ts.displayPartsToString(symbol.getDocumentationComment(checker)),
            ...tags.filter((tag) => tag.name === "default").map(({ text }) => ts.displayPartsToString(text)),
        ]
            .join(" ")
            .trim(),
        examples: tags
            .filter((tag) => tag.name === "example")
            .map(({ text }) => /```typescript\n(.*?)```/s.exec(ts.displayPartsToString(text))?.[1] ?? ""),
    };
}

/** The members that a declaration lists itself, at any depth; those of other declarations are theirs. */
function membersIn(declaration: ts.Node, checker: ts.TypeChecker): ts.Symbol[] {
    const found: ts.Symbol[] = [];
    const visit = (node: ts.Node) => {
        const isMember =
            ts.isPropertySignature(node) ||
            ts.isMethodSignature(node) ||
            ts.isPropertyDeclaration(node) ||
            ts.isMethodDeclaration(node);
        if (ts.isBlock(node) || ts.isConstructorDeclaration(node) || isPrivate(node)) {
            return;
        }
        const symbol = isMember && !saysWhich(node) && checker.getSymbolAtLocation(node.name);
        if (symbol) {
            found.push(symbol);
        }
        ts.forEachChild(node, visit);
    };
    if (
        ts.isInterfaceDeclaration(declaration) ||
        ts.isTypeAliasDeclaration(declaration) ||
        ts.isClassDeclaration(declaration)
    ) {
        ts.forEachChild(declaration, visit);
    }
    return found;
}

/** The types of this package that users read in a declaration. */
function mentionedIn(declaration: ts.Node, checker: ts.TypeChecker): ts.Symbol[] {
    const found: ts.Symbol[] = [];
    const visit = (node: ts.Node) => {
        if (
            ts.isBlock(node) ||
            isPrivate(node) ||
            ts.getJSDocTags(node).some(({ tagName }) => tagName.text === "internal")
        ) {
            return;
        }
        if (ts.isConditionalTypeNode(node)) {
            // A type that computes others: programs do not mention its parts.
            return;
        }
        if (ts.isTypeReferenceNode(node) || ts.isExpressionWithTypeArguments(node)) {
            const symbol = checker.getSymbolAtLocation(ts.isTypeReferenceNode(node) ? node.typeName : node.expression);
            const type = symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
            const isOurs = type?.declarations?.some((one) => one.getSourceFile().fileName.startsWith(components));
            if (type && isOurs && !(type.flags & ts.SymbolFlags.TypeParameter)) {
                found.push(type);
            }
        }
        ts.forEachChild(node, visit);
    };
    if (!ts.isVariableDeclaration(declaration)) {
        ts.forEachChild(declaration, visit);
    }
    return found;
}

/** Whether a field is the word that says which alternative of a union it is: the type is documented instead. */
function saysWhich(node: ts.Node): boolean {
    return (
        ts.isPropertySignature(node) &&
        ["kind", "action", "step", "protocol"].includes(node.name.getText()) &&
        !node.questionToken &&
        node.type !== undefined &&
        [node.type, ...(ts.isUnionTypeNode(node.type) ? node.type.types : [])].some(ts.isLiteralTypeNode)
    );
}

function isPrivate(node: ts.Node): boolean {
    return (
        ts.canHaveModifiers(node) && !!ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)
    );
}
