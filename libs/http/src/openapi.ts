import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { Settings } from '@app/configuration';
import { swaggerPolicy, type Access } from './access';

/**
 * Serves `/docs` for people and `/docs-json` for programs. No Nest guard runs for these pages, so in production this
 * function adds the check for a key.
 */
export function serveOpenApi(
  app: NestExpressApplication,
  access: Access,
  { NODE_ENV }: Pick<Settings, 'NODE_ENV'>,
): void {
  const anyKey = access.demand(() => 'any');
  if (NODE_ENV === 'production') app.use(['/docs', '/docs-json', '/docs-yaml'], anyKey);
  app.use('/docs', swaggerPolicy);
  const document = SwaggerModule.createDocument(
    app,
    new DocumentBuilder()
      .setTitle('node-message-queue')
      .setDescription('REST in, background job out. Errors are RFC 9457 problem documents; branch on their `code`.')
      .setVersion('1')
      .addSecurity('bearer', { type: 'http', scheme: 'bearer', description: 'One of the keys in API_KEYS.' })
      .addSecurity('basic', { type: 'http', scheme: 'basic', description: 'Any user name, the key as password.' })
      .build(),
  );
  SwaggerModule.setup('docs', app, document, {
    jsonDocumentUrl: 'docs-json',
    yamlDocumentUrl: 'docs-yaml',
    // No validator on another host gets the document.
    swaggerOptions: { validatorUrl: null },
  });
}
