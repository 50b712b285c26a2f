import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { Settings } from '@app/configuration';
import { demandKey, swaggerPolicy } from './access';

/**
 * Serves `/docs` for people and `/docs-json` for programs. In production, they and the AsyncAPI document need a
 * key, which no Nest guard checks.
 */
export function serveOpenApi(app: NestExpressApplication, { NODE_ENV }: Pick<Settings, 'NODE_ENV'>): void {
  if (NODE_ENV === 'production') app.use(['/docs', '/docs-json', '/docs-yaml', '/asyncapi.json'], demandKey);
  app.use('/docs', swaggerPolicy);
  const config = new DocumentBuilder()
    .setTitle('node-message-queue')
    .setDescription('REST in, background job out. Errors are RFC 9457 problem documents; branch on their `code`.')
    .setVersion('1')
    .addSecurity('bearer', { type: 'http', scheme: 'bearer', description: 'One of the keys in API_KEYS.' })
    .addSecurity('basic', { type: 'http', scheme: 'basic', description: 'Any user name, the key as password.' })
    .build();
  // A function: the document is made at its first request, so that the API starts sooner.
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, config), {
    jsonDocumentUrl: 'docs-json',
    yamlDocumentUrl: 'docs-yaml',
    // No validator on another host gets the document.
    swaggerOptions: { validatorUrl: null },
  });
}
