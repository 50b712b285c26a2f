/** Something that only the person at the keyboard can mend; its message says how. */
export class StartRefused extends Error {}
