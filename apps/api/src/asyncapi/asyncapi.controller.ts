import { Controller, Get, Inject, type FactoryProvider } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { BrokerRoutes } from '@app/configuration';
import { eventDefinitions, jobDefinitions } from '@app/features/catalogue';
import type { BrokerSettings, BrokerTopology } from '@app/messaging';
import { Open } from '@app/http';
import { describeBrokers } from './describe-brokers';
import { asyncApiDocument, type AsyncApiDocument } from './document';

const DOCUMENT = Symbol('ASYNCAPI_DOCUMENT');

/** Serves the AsyncAPI document: the messages on the brokers. `/docs-json` describes the HTTP routes. */
@ApiExcludeController()
@Open() // In production, `serveOpenApi` demands a key.
@Controller('asyncapi.json')
export class AsyncApiController {
  constructor(@Inject(DOCUMENT) private readonly document: AsyncApiDocument) {}

  /** Builds the document from the configuration of this system. */
  static documentOf(settings: BrokerSettings, topology: BrokerTopology): FactoryProvider<AsyncApiDocument> {
    return {
      provide: DOCUMENT,
      inject: [BrokerRoutes],
      useFactory: (routes: BrokerRoutes) =>
        asyncApiDocument(
          { jobs: jobDefinitions, events: eventDefinitions },
          describeBrokers(settings, topology),
          routes,
        ),
    };
  }

  @Get()
  show(): AsyncApiDocument {
    return this.document;
  }
}
