// The real Bull Board over some queues, until stdin ends: {url, prefix, queues, readOnly} in, "ready" and its port out.
// POST /check/<schema> tells whether a body is what Bull Board itself would answer there; GET /routes, what it has.
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import routes from '@bull-board/api/dist/routes.js';
import responses from '@bull-board/api/dist/schemas/responses.js';
import { ExpressAdapter } from '@bull-board/express';
import { Queue } from 'bullmq';
import express from 'express';
import IORedis from 'ioredis';
import * as valibot from 'valibot';

const { url, prefix, queues, readOnly = false } = JSON.parse(process.argv[2]);
const connection = new IORedis(url, { maxRetriesPerRequest: null });
const opened = queues.map((name) => new Queue(name, { connection, prefix }));
await Promise.all(opened.map((queue) => queue.waitUntilReady()));

const serverAdapter = new ExpressAdapter();
serverAdapter.setBasePath('/admin/queues');
createBullBoard({
  queues: opened.map((queue) => new BullMQAdapter(queue, { readOnlyMode: readOnly })),
  serverAdapter,
  options: { validateResponses: true },
});

const app = express();
app.use('/admin/queues', serverAdapter.getRouter());
app.post('/check/:schema', express.json({ limit: '50mb' }), (request, response) => {
  const parsed = valibot.safeParse(responses.responseSchemas[request.params.schema], request.body);
  response.json(parsed.success ? [] : parsed.issues.map((issue) => `${valibot.getDotPath(issue)}: ${issue.message}`));
});
app.get('/routes', (request, response) => {
  const history = routes.buildHistoryRoutes({}, { hasUsage: true, canPurge: true, hasLatency: true });
  const listed = [...routes.appRoutes.api, ...history].map(({ method, route }) => [method.toUpperCase(), route]);
  response.json({ api: listed, pages: routes.appRoutes.entryPoint.route });
});
const server = app.listen(0, '127.0.0.1', () => {
  process.stdout.write(`ready\n${server.address().port}\n`);
});

process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
