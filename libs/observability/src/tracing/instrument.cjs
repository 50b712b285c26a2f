// Lets OpenTelemetry wrap http, pg and undici. They must load after this file, so each main.ts imports it first. Without
// OTEL_EXPORTER_OTLP_ENDPOINT nothing of OpenTelemetry's SDK is loaded.
if (process.env.OTEL_EXPORTER_OTLP_ENDPOINT) {
  const { instrument } = require('./instrumentations');
  instrument();
}
