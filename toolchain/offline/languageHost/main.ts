// pulumi-language-nodejs for machines without a full Pulumi install: what the CLI needs to preview, update, destroy, refresh and
// describe a Node program. Creating projects, SDKs and policy packs needs a full install.
import { spawn } from "node:child_process";
import { type ServerWritableStream, status } from "@grpc/grpc-js";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import language from "@pulumi/pulumi/proto/language_pb";
import plugin from "@pulumi/pulumi/proto/plugin_pb";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import { serve, unary } from "../pluginServer";
import { programDependencies, requiredPlugins } from "./packages";
import { runProgram, stopPrograms } from "./program";

// The CLI passes the engine's address as an argument.
const engineAddress = process.argv.slice(2).find((argument) => !argument.startsWith("-")) ?? "";

function installDependencies(
    call: ServerWritableStream<language.InstallDependenciesRequest, language.InstallDependenciesResponse>,
): void {
    const cwd = call.request.getInfo()?.getProgramDirectory() || call.request.getDirectory();
    const child = spawn("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
        cwd,
        stdio: ["ignore", "pipe", "pipe"],
    });
    const pass =
        (set: (response: language.InstallDependenciesResponse, chunk: Buffer) => unknown) => (chunk: Buffer) => {
            const response = new language.InstallDependenciesResponse();
            set(response, chunk);
            call.write(response);
        };
    child.stdout.on(
        "data",
        pass((response, chunk) => response.setStdout(chunk)),
    );
    child.stderr.on(
        "data",
        pass((response, chunk) => response.setStderr(chunk)),
    );
    call.on("cancelled", () => child.kill());
    child.on("error", (error) => call.emit("error", { code: status.UNKNOWN, details: error.message }));
    child.on("close", (code) =>
        code === 0
            ? call.end()
            : call.emit("error", { code: status.UNKNOWN, details: `npm ci failed with exit code ${code}` }),
    );
}

serve(LanguageRuntimeService, {
    handshake: unary(() => new language.LanguageHandshakeResponse()),
    getPluginInfo: unary(() => new plugin.PluginInfo().setVersion("3.259.0")),
    about: unary(() => new language.AboutResponse().setExecutable(process.execPath).setVersion(process.version)),
    getRequiredPackages: unary((request: language.GetRequiredPackagesRequest) => {
        const found = requiredPlugins(request.getInfo()?.getProgramDirectory() ?? ".");
        return new language.GetRequiredPackagesResponse().setPackagesList(
            found.map(({ name, version, server }) =>
                new plugin.PackageDependency().setName(name).setKind("resource").setVersion(version).setServer(server),
            ),
        );
    }),
    getProgramDependencies: unary((request: language.GetProgramDependenciesRequest) => {
        const directory = request.getInfo()?.getProgramDirectory() || request.getPwd();
        return new language.GetProgramDependenciesResponse().setDependenciesList(
            programDependencies(directory, request.getTransitivedependencies()).map(({ name, version }) =>
                new language.DependencyInfo().setName(name).setVersion(version),
            ),
        );
    }),
    runtimeOptionsPrompts: unary(() => new language.RuntimeOptionsResponse()),
    installDependencies,
    run: unary((request: language.RunRequest, { signal }) => runProgram(request, engineAddress, signal)),
    cancel: unary(() => {
        stopPrograms();
        return new empty.Empty();
    }),
});
