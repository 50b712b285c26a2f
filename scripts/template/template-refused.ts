/** The project cannot be made as requested. The message is one sentence that says what to change. */
export class TemplateRefused extends Error {}
