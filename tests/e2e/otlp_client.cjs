// A program instrumented with the OpenTelemetry SDK: two exports of metrics, one of logs and one of spans.
// usage: node otlp_client.cjs ENCODING TEMPORALITY COMPRESSION SERVICE URL [TOKEN]
const [encoding, temporality, compression, service, url, token] = process.argv.slice(2);
const load = (signal) => require(`@opentelemetry/exporter-${signal}-otlp-${encoding === 'json' ? 'http' : 'proto'}`);
const {resourceFromAttributes} = require('@opentelemetry/resources');
const {AggregationType, MeterProvider, PeriodicExportingMetricReader} = require('@opentelemetry/sdk-metrics');
const {AggregationTemporalityPreference} = require('@opentelemetry/exporter-metrics-otlp-http');
const {LoggerProvider, SimpleLogRecordProcessor} = require('@opentelemetry/sdk-logs');
const {BasicTracerProvider, BatchSpanProcessor} = require('@opentelemetry/sdk-trace-base');

const resource = resourceFromAttributes({'service.name': service, 'service.instance.id': `${service}-${process.pid}`});
const to = (path) => ({
  url: url + path, compression, timeoutMillis: 20000, headers: token ? {authorization: `Bearer ${token}`} : {}});

async function metrics() {
  const preference = temporality === 'delta' ? AggregationTemporalityPreference.DELTA
                                             : AggregationTemporalityPreference.CUMULATIVE;
  const exporter = new (load('metrics').OTLPMetricExporter)({...to('/v1/metrics'), temporalityPreference: preference});
  const provider = new MeterProvider({
    resource,
    readers: [new PeriodicExportingMetricReader({exporter, exportIntervalMillis: 3600000})],
    views: [{instrumentName: 'work.size', aggregation: {type: AggregationType.EXPONENTIAL_HISTOGRAM, options: {maxSize: 20}}}],
  });
  const meter = provider.getMeter('e2e', '1.0.0');
  const tasks = meter.createCounter('agent.tasks', {unit: '{task}', description: 'Tasks done.'});
  const active = meter.createUpDownCounter('agent.active', {unit: '{agent}'});
  const latency = meter.createHistogram('gen_ai.client.operation.duration', {
    unit: 's',
    advice: {explicitBucketBoundaries: [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]},
  });
  const size = meter.createHistogram('work.size', {unit: 's'});
  meter.createObservableGauge('queue.depth', {unit: '{task}'}).addCallback((r) => r.observe(7, {queue: 'main'}));
  const chat = {'gen_ai.operation.name': 'chat', 'session.id': 'private-session'};

  tasks.add(2, {outcome: 'completed', 'user.id': 'private-user'});
  tasks.add(1, {outcome: 'failed'});
  active.add(3);
  active.add(-1);
  for (const seconds of [0.05, 0.5, 3, 90]) latency.record(seconds, chat);
  for (const seconds of [0.1, 0.2, 5]) size.record(seconds);
  await provider.forceFlush();

  await new Promise((done) => setTimeout(done, 20));  // the second export has later times
  tasks.add(5, {outcome: 'completed', 'user.id': 'private-user'});
  active.add(1);
  latency.record(0.5, chat);
  size.record(300);
  await provider.shutdown();
}

async function logs() {
  const exporter = new (load('logs').OTLPLogExporter)(to('/v1/logs'));
  const provider = new LoggerProvider({resource, processors: [new SimpleLogRecordProcessor(exporter)]});
  provider.getLogger('e2e').emit({eventName: 'something', body: 'a private sentence', attributes: {n: 1}});
  await provider.shutdown();
}

async function traces() {
  const exporter = new (load('trace').OTLPTraceExporter)(to('/v1/traces'));
  const provider = new BasicTracerProvider({resource, spanProcessors: [new BatchSpanProcessor(exporter)]});
  const tracer = provider.getTracer('e2e');
  tracer.startSpan('first').end();
  tracer.startSpan('second').end();
  await provider.shutdown();
}

metrics().then(logs).then(traces).catch((problem) => {
  console.error(problem);
  process.exit(1);
});
