import type { Host } from "../../../lab/host";

/** The version that bookworm has in its main archive, and the one of its security archive, which images have. */
export const FIRST = "2.6.12-1+deb12u3";
export const SECURE = "2.6.12-1+deb12u4";
/** The security version again, under other numbers. */
export const OWN = "2.6.12-1+deb12u8";
export const OTHERS = "2.6.12-1+deb12u9";
/** Lower than all; its program does not know `option redispatch`. */
export const REFUSING = "2.6.12-1+deb12u1";

/** HAProxy under these versions. While /root/slow exists, an installation stays half way. */
export const provideOwnPackages = (host: Host): Promise<void> =>
    providePackages(
        host,
        "haproxy",
        SECURE,
        `
        sed -i '2i if [ -e /root/slow ]; then touch /root/half; while [ -e /root/slow ]; do sleep 0.1; done; fi' root/DEBIAN/postinst
        build ${OWN}
        build ${OTHERS}
        sed -i s/redispatch/redispatcX/g root/usr/sbin/haproxy
        build ${REFUSING}`,
    );

/**
 * A package source on the host, with Debian's package under other version numbers: the same program and scripts.
 *
 * @param version that of Debian
 * @param work shell that may change what is in `root`, and calls `build VERSION`
 */
export async function providePackages(host: Host, name: string, version: string, work: string): Promise<void> {
    await host.exec(`
        mkdir -p /srv/packages/root && cd /srv/packages && apt-get -qq -o Acquire::Retries=3 download ${name}=${version}
        dpkg-deb -R ${name}_*.deb root && rm ${name}_*.deb
        build() {
            sed -i "s/^Version: .*/Version: $1/" root/DEBIAN/control
            dpkg-deb -Znone --build root "$1.deb" >/dev/null
            { dpkg-deb -f "$1.deb"; echo "Filename: ./$1.deb"; echo "Size: $(stat -c %s "$1.deb")"
                echo "SHA256: $(sha256sum "$1.deb" | cut -d' ' -f1)"; echo; } >>Packages
        }
        ${work}
        echo "deb [trusted=yes] file:/srv/packages ./" >/etc/apt/sources.list.d/own.list
        apt-get -qq update -o Dir::Etc::sourcelist=/etc/apt/sources.list.d/own.list -o Dir::Etc::sourceparts=- \\
            -o APT::Get::List-Cleanup=0`);
}
