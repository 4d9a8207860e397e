import { render } from "../../../../components/haproxy/render/index";
import { fromServices, type Service } from "../../../../components/haproxy/services/compile";

export const servers = [
    { name: "s1", address: "192.0.2.21" },
    { name: "s2", address: "192.0.2.22" },
];
export const plain: Service = { name: "shop", hosts: ["shop.test"], port: 8080, servers };
export const tcp: Service = { name: "shop", protocol: "tcp", port: 5432, servers };

export const compile = (...services: Service[]) => fromServices({ version: "2.6" }, services);

/** The lines of haproxy.cfg for services. */
export const lines = (...services: Service[]) =>
    render(compile(...services), { digest: "d" })
        .text.split("\n")
        .map((line) => line.trim());
