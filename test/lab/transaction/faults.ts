import { type LoadBalancerHost, squat, type Variation } from "./loadBalancerHost";

/** A fault of the host or the configuration that stops HAProxy. In most cases `haproxy -c` does not see it. */
export interface Fault {
    name: string;
    /** What is declared, and what the host must have for it. */
    variation: (loadBalancer: LoadBalancerHost) => Variation;
    /** Shell that prepares the host for it. @default - nothing to prepare */
    prepare?: (loadBalancer: LoadBalancerHost) => string;
    /** Shell that undoes `prepare`. @default - the declared configuration itself is wrong */
    strike?: (loadBalancer: LoadBalancerHost) => string;
    /** Words that name the cause. */
    words: RegExp;
    /** What HAProxy does if the fault happens at a reload. */
    late: {
        /** Shell that causes it at the reload. @default - that of `strike` */
        strike?: (loadBalancer: LoadBalancerHost) => string;
        words: RegExp;
        /**
         * Whether no request is lost. HAProxy stops accepting for 2 s if it cannot bind, and ends if its chroot is
         * missing.
         */
        hitless: boolean;
        /** Whether the old process serves on. If not, the transaction starts one with the last good files. */
        survives: boolean;
    };
}

const LOW = "/etc/systemd/system/haproxy.service.d/20-low.conf";

/** Shell that undoes all faults. systemd reads all units again only if one has changed, because that takes it 0.1 s. */
export const repair = `
    systemctl stop squatter 2>/dev/null
    rm -rf /srv/jail /run/jail
    ip addr flush dev eth0 label eth0:spare
    sed -i /backend.test/d /etc/hosts
    [ ! -e ${LOW} ] || { rm ${LOW}; systemctl daemon-reload; }`;

export const faults: Fault[] = [
    {
        name: "a syntax error",
        variation: () => ({ raw: ["http-request nonsense"] }),
        words: /'http-request' expects .* but got 'nonsense'/,
        late: {
            strike: () => "echo 'nonsense here' >>/etc/haproxy/haproxy.cfg",
            words: /unknown keyword 'nonsense'/,
            hitless: true,
            survives: true,
        },
    },
    {
        name: "a port taken by another process",
        variation: () => ({ binds: [{ port: 8081 }] }),
        strike: () => squat("0.0.0.0:8081"),
        words: /port 8081 is taken by systemd-socket-\S* \(pid \d+\)/,
        late: {
            words: /cannot bind socket \(Address already in use\) for \[0\.0\.0\.0:8081\]/,
            hitless: false,
            survives: true,
        },
    },
    {
        name: "a bind address not on the host",
        variation: ({ spareAddress }) => ({ binds: [{ address: spareAddress, port: 8081 }] }),
        prepare: ({ spareAddress }) => `ip addr add ${spareAddress}/32 dev eth0 label eth0:spare`,
        strike: ({ spareAddress }) => `ip addr del ${spareAddress}/32 dev eth0`,
        words: /no interface has the address \S+\.200 \(bind \S+\.200:8081\)/,
        late: { words: /annot (bind|assign)[^\n]*\.200:8081/, hitless: false, survives: true },
    },
    {
        name: "a missing chroot",
        variation: () => ({ global: { chroot: "/srv/jail" } }),
        prepare: () => "mkdir /srv/jail",
        strike: () => "rmdir /srv/jail",
        words: /the chroot directory \/srv\/jail does not exist/,
        late: { words: /[Cc]annot chroot/, hitless: false, survives: false },
    },
    {
        name: "a missing socket directory",
        variation: () => ({ global: { statsSockets: [{ path: "/run/jail/admin.sock" }] } }),
        prepare: () => "mkdir /run/jail",
        strike: () => "rmdir /run/jail",
        words: /the directory \/run\/jail of a stats socket does not exist/,
        late: { words: /\/run\/jail\/admin\.sock/, hitless: true, survives: true },
    },
    {
        name: "an FD limit too low",
        variation: () => ({ global: { maxconn: 1200 } }),
        strike: () => `
            printf '[Service]\\nLimitNOFILE=1500\\n' >${LOW}
            systemctl daemon-reload`,
        words: /maxconn needs 3404 file descriptors, this host allows the service 1500/,
        late: {
            strike: () => 'prlimit --pid "$(systemctl show -p MainPID --value haproxy)" --nofile=1500:1500',
            words: /FD limit/,
            hitless: true,
            survives: true,
        },
    },
    {
        name: "a server name that does not resolve",
        variation: () => ({ server: "backend.test" }),
        prepare: ({ lab }) => `echo '${lab.host("app1").address} backend.test' >>/etc/hosts`,
        strike: () => "sed -i /backend.test/d /etc/hosts",
        words: /could not resolve address 'backend\.test'/,
        late: { words: /could not resolve address 'backend\.test'/, hitless: true, survives: true },
    },
];
