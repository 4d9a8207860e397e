import { appendFileSync, writeFileSync } from "node:fs";
import { describeLab, withLab } from "../support/lab";
import { type Certificate, Issuer, TlsHost } from "./tls/tlsHost";

const out = "/tmp/docs-try/lab.txt";
describeLab("docs of certificates", () => {
    const lab = withLab([{ name: "lb1", image: "haproxy" }]);
    const host = () => new TlsHost(lab());
    it("shows", async () => {
        writeFileSync(out, "");
        const log = (title: string, text: string) => appendFileSync(out, `## ${title}\n${text}\n\n`);
        const issuer = await Issuer.make("Example");
        const first: Record<string, Certificate> = {
            shop: await issuer.certificate("shop.test"),
            wild: await issuer.certificate("*.test"),
        };
        log("first preview", (await host().declare({ certificates: first, roots: issuer.root.pem }).preview()).text);
        log("first up", await host().converge({ certificates: first, roots: issuer.root.pem }));
        const certificates = { ...first, shop: await issuer.certificate("shop.test") };
        log("rotate preview", (await host().declare({ certificates, roots: issuer.root.pem }).preview()).text);
        log("rotate up", await host().converge({ certificates, roots: issuer.root.pem }));
        log(
            "ls",
            await host().shell(
                "ls -la /etc/haproxy/fleet; ls -la /var/lib/haproxy-fleet /var/lib/haproxy-fleet/*; cat /etc/haproxy/fleet/*.crt-list; stat -c '%a %U %G %n' /etc/haproxy/fleet",
            ),
        );
        await host().setByHand("shop", first.shop as Certificate);
        log("drift", (await host().declare({ certificates, roots: issuer.root.pem }).preview()).text);
    });
});
