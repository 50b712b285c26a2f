import { context } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider, RandomIdGenerator } from '@opentelemetry/sdk-trace-node';
import { spanIdKey } from '@app/messaging';

/**
 * Exports the spans of this process. The SDK reads the sampler and the address of the collector from the variables
 * OTEL_… (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
 * @returns a function that exports what is left, and ends
 */
export function exportSpans(name: string): () => Promise<void> {
  const random = new RandomIdGenerator();
  const provider = new NodeTracerProvider({
    resource: defaultResource().merge(resourceFromAttributes({ 'service.name': name })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
    idGenerator: {
      generateTraceId: () => random.generateTraceId(),
      generateSpanId: () => (context.active().getValue(spanIdKey) as string | undefined) ?? random.generateSpanId(),
    },
  });
  provider.register();
  return () => provider.shutdown();
}
