/** A source that cannot be read. The message is without the subject, as `its key is missing; give it`, and quotes nothing secret. */
export class SourceError extends Error {}
