// The namespace `resources` of the public face: what a run list holds.

export type {
    Absent,
    Adapter,
    Content,
    DeclaredFile,
    Directory,
    Execute,
    File,
    Group,
    PackageRepository,
    Packages,
    PackageVersion,
    RepositoryKey,
    Resource,
    Service,
    SystemdUnit,
    Transaction,
    User,
} from "./convergence/kinds/index";
