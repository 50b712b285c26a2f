import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import handlebars from 'handlebars';
import { emailTemplateNames } from '@app/features/email';

/** The templates that callers may name, and our own. */
const templateNames = [...emailTemplateNames, 'digest'] as const;

type Template = (typeof templateNames)[number];

/** Compiled when the worker starts: a missing or broken template stops the boot instead of a job. */
@Injectable()
export class Templates {
  private readonly compiled = new Map<Template, ReturnType<typeof compile>>(
    templateNames.map((name) => [name, compile(name)]),
  );

  /** Escapes values in HTML, and leaves them unchanged in text. */
  render(name: Template, data: Record<string, unknown>): { text: string; html: string } {
    return this.compiled.get(name)!(data);
  }
}

function compile(name: Template) {
  const text = handlebars.compile(read('text.hbs'), { noEscape: true, strict: false });
  const html = handlebars.compile(read('html.hbs'), { strict: false });
  return (data: Record<string, unknown>) => ({ text: text(data), html: html(data) });

  function read(file: string): string {
    return readFileSync(join(__dirname, 'templates', name, file), 'utf8');
  }
}
