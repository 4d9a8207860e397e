// The library needs this one first.
import "reflect-metadata";

export * from "@peculiar/x509";
