// The namespace `resources` of the public face: what a run list holds.

export type {
    Absent,
    Adapter,
    Content,
    DeclaredFile,
    Directory,
    Execute,
    File,
    Firewall,
    FirewallRule,
    Group,
    PackageRepository,
    Packages,
    RepositoryKey,
    Resource,
    Service,
    Sysctl,
    SysctlValue,
    SystemdUnit,
    Transaction,
    User,
} from "./convergence/kinds/index";
