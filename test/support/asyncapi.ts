import { Parser } from '@asyncapi/parser';
import { z } from 'zod';

const parser = new Parser();

/**
 * Checks a document with the official parser of AsyncAPI.
 * @returns errors and warnings in the words of the parser
 */
export async function faultsOf(document: object): Promise<string[]> {
  const { diagnostics } = await parser.parse(JSON.stringify(document));
  // 0 is an error, 1 a warning. The others are information, such as that there is a newer version than 3.0.
  return diagnostics
    .filter(({ severity }) => (severity as number) <= 1)
    .map(({ code, path, message }) => `${code} at ${path.join('/')}: ${message}`);
}

/** The messages of a document by name, as schemas that parse them. */
export function schemasOf(document: any): Record<string, z.ZodType> {
  const messages = Object.entries<any>(document.components.messages);
  return Object.fromEntries(messages.map(([name, { payload }]) => [name, z.fromJSONSchema(payload)]));
}
