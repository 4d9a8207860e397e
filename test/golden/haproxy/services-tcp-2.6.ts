import { fromServices } from "../../../components/haproxy/services/compile";

const servers = [{ name: "s1", address: "192.0.2.21" }];

/** The keep-alive settings that only releases from 2.3 on have. */
export default fromServices({ version: "2.6" }, [{ name: "postgres", protocol: "tcp", port: 5432, servers }]);
