import { fromServices } from "../../../components/haproxy/services/compile";

const servers = [{ name: "s1", address: "192.0.2.21" }];

/** What newer versions say of TCP. */
export default fromServices({ version: "2.6" }, [{ name: "postgres", protocol: "tcp", port: 5432, servers }]);
