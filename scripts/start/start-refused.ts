/** An error that only the user can fix; its message says how. */
export class StartRefused extends Error {}
