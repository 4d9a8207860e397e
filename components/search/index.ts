// The namespace `search` of the public face: inventories, and the nodes and servers in them.

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
