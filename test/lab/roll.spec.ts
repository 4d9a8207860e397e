// The real engine rolls a fleet of real hosts. The tests share the hosts, and each begins where the one before has ended.
import { describeLab, withLab } from "../support/lab";
import { away } from "./roll/away";
import { failures } from "./roll/failures";
import { Fleet, NAMES } from "./roll/fleet";
import { interrupted } from "./roll/interrupted";
import { migration } from "./roll/migration";
import { order } from "./roll/order";
import { renames } from "./roll/renames";

describeLab("a roll", () => {
    const lab = withLab(NAMES.map((name) => ({ name, image: "haproxy" })));
    let shared: Fleet | undefined;
    const fleet = () => shared as Fleet;

    before(async () => {
        shared = new Fleet(lab());
        await shared.project.succeed("stack", "init", "dev");
    });
    after(() => shared?.remove());

    describe("changes hosts in order:", () => order(fleet));
    describe("passes over hosts that cannot be asked:", () => away(fleet));
    describe("stops:", () => failures(fleet));
    describe("continues:", () => interrupted(fleet));
    describe("outlives renames:", () => {
        renames(fleet);
        migration(lab);
    });
});
