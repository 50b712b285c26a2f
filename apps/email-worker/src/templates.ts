import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import handlebars from 'handlebars';
import { emailTemplateNames, type EmailTemplate } from '@app/contracts';

interface Rendered {
  readonly text: string;
  readonly html: string;
}

/** Compiled when the worker starts: a template that is missing or broken stops the boot, not a job. */
@Injectable()
export class Templates {
  private readonly compiled = new Map(emailTemplateNames.map((name) => [name, compile(name)]));

  /** Values are escaped in HTML and stand as they are in text. */
  render(name: EmailTemplate, data: Record<string, unknown>): Rendered {
    return this.compiled.get(name)!(data);
  }
}

function compile(name: EmailTemplate): (data: Record<string, unknown>) => Rendered {
  const text = handlebars.compile(read('text.hbs'), { noEscape: true, strict: false });
  const html = handlebars.compile(read('html.hbs'), { strict: false });
  return (data) => ({ text: text(data), html: html(data) });

  function read(file: string): string {
    return readFileSync(join(__dirname, 'templates', name, file), 'utf8');
  }
}
