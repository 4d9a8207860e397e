import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProject, stacksOf } from "../../../cli/project";
import { configFromCli, configFromFile } from "../../../cli/stackConfig";

describe("projects and their config", () => {
    let directory: string;
    beforeEach(() => {
        directory = mkdtempSync(join(tmpdir(), "project-"));
    });
    afterEach(() => rmSync(directory, { recursive: true }));
    const write = (name: string, text: string) => {
        mkdirSync(join(directory, name, ".."), { recursive: true });
        writeFileSync(join(directory, name), text);
    };

    it("are found from folders below, with program, loader and stacks", () => {
        write(
            "Pulumi.yaml",
            'name: edge\nmain: infra\nruntime: { name: nodejs, options: { typescript: false, nodeargs: "--require tsx/cjs" } }\n',
        );
        write("infra/package.json", '{ "type": "module", "main": "program.ts" }');
        write("infra/deep/x", "");
        write("infra/program.ts", "");
        write("Pulumi.prod.yaml", "");
        write("Pulumi.dev.yaml", "");
        const project = findProject(join(directory, "infra/deep"));
        assert.deepEqual(stacksOf(project), ["dev", "prod"]);
        const { name, programDirectory, isModule, typescript, nodeArguments } = project;
        assert.deepEqual(
            { name, programDirectory, isModule, typescript, nodeArguments },
            {
                name: "edge",
                programDirectory: join(directory, "infra"),
                isModule: true,
                typescript: false,
                nodeArguments: ["--require", "tsx/cjs"],
            },
        );
    });

    it("are refused if there is none, or if it is for another language or names a program that does not exist", () => {
        assert.throws(() => findProject(directory), /no Pulumi\.yaml here or above/);
        write("Pulumi.yaml", "name: edge\nruntime: python\n");
        assert.throws(() => findProject(directory), /Pulumi\.yaml: runtime python; only programs for nodejs/);
        write("Pulumi.yaml", "name: edge\nmain: infra\nruntime: nodejs\n");
        assert.throws(() => findProject(directory), /main: .*infra does not exist/);
        write("Pulumi.yaml", "name: [edge\n");
        assert.throws(() => findProject(directory), /Pulumi\.yaml: .*; correct the file/);
    });

    it("take config from the stack's file, else from the project's, and hide secrets", () => {
        write(
            "Pulumi.yaml",
            "name: edge\nruntime: nodejs\nconfig:\n  probe: { type: boolean, default: true }\n  size: 3\n  aws:region: { value: eu-west-1 }\n  needed: { type: string }\n",
        );
        write(
            "Pulumi.dev.yaml",
            "environment: [shared]\nconfig:\n  edge:size: 4\n  version: 2.8\n  ops: { secure: v1:x }\n  edge:users: [{ name: a, password: { secure: v1:y } }]\n",
        );
        const { values, secretKeys, hiddenKeys, notes } = configFromFile(findProject(directory), "dev");
        assert.deepEqual(values, {
            "edge:probe": "true",
            "edge:size": "4",
            "aws:region": "eu-west-1",
            "edge:version": "2.8",
            "edge:ops": "placeholder",
            "edge:users": '[{"name":"a","password":"placeholder"}]',
        });
        assert.deepEqual(secretKeys, ["edge:ops", "edge:users"]);
        assert.deepEqual(hiddenKeys, secretKeys);
        assert.equal(notes.length, 1);
        assert.equal(configFromFile(findProject(directory), "other").values["edge:size"], "3");
    });

    it("take config from the CLI as it is, and quote nothing of what is no JSON", () => {
        const { values, secretKeys } = configFromCli(
            '{ "edge:key": { "value": "s3cret", "secret": true }, "edge:a": { "value": "1", "secret": false } }',
        );
        assert.deepEqual(values, { "edge:key": "s3cret", "edge:a": "1" });
        assert.deepEqual(secretKeys, ["edge:key"]);
        assert.throws(() => configFromCli("s3cret"), { message: /^(?!.*s3cret).*it printed no JSON/ });
    });
});
