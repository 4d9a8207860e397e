import { fromServices } from "../../../components/haproxy/services/compile";
import { parseInventory, serversFor } from "../../../components/search/inventory";
import local from "../../../stacks/local";

/** As the lab writes it, in no particular order. */
const text = JSON.stringify({
    nodes: [
        { name: "docs2", address: "10.99.3.24", environment: "local", runList: ["ecom-docs::app"] },
        { name: "platform2", address: "10.99.3.22", environment: "local", runList: ["ecom-platform::app"] },
        { name: "docs1", address: "10.99.3.23", environment: "local", runList: ["ecom-docs::app"] },
        { name: "platform1", address: "10.99.3.21", environment: "local", runList: ["ecom-platform::app"] },
        { name: "platform9", address: "10.99.3.29", environment: "other", runList: ["ecom-platform::app"] },
    ],
});
const inventory = parseInventory(text, "inventory.json");

export default fromServices(
    local.haproxy ?? {},
    local.services,
    ({ name, port }) => serversFor(inventory, { service: name, environment: local.environment, port }),
    local.stats,
);
