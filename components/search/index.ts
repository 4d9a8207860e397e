// The namespace `search` of the public face: inventories, and the nodes and servers in them.

export { type Ec2InventoryArgs, ec2Inventory } from "./ec2";
export type { Ec2Facility, Ec2Search, Ec2TagKeys } from "./ec2Search";
export {
    type Inventory,
    type Node,
    type NodeLogin,
    parseInventory,
    type Query,
    type ServerQuery,
    search,
    serversFor,
} from "./inventory";
