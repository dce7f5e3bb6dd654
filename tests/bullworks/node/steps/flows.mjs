// Steps about parents and children.
// A child that is gone has no node.
const tree = (node) => ({ id: node.job.id, name: node.job.name, children: (node.children ?? []).filter(Boolean).map(tree) });

export const flow = async (world, root, opts) => tree(await world.flows.add(root, opts));
export const flowBulk = async (world, roots) => (await world.flows.addBulk(roots)).map(tree);
// Which of a job's children comes first is Redis' choice.
const sorted = ({ id, name, children }) => ({ id, name, children: children.map(sorted).sort((a, b) => (a.name < b.name ? -1 : 1)) });
export const getFlow = async (world, id, opts) => {
  const node = await world.flows.getFlow({ id, queueName: world.queue.name, ...opts });
  return node ? sorted(tree(node)) : null;
};
export const dependencies = async (world, id) => {
  const { processed, unprocessed, ignored, failed } = await (await world.job(id)).getDependencies();
  return { processed, unprocessed: unprocessed.sort(), ignored, failed: failed.sort() };
};
export const dependencyPages = async (world, id, opts) => {
  const found = await (await world.job(id)).getDependencies(opts);
  for (const kind of ['unprocessed', 'failed']) found[kind]?.sort();
  return found;
};
// All children of a kind, page by page, sorted, and whether there was more than one page.
export const allPages = async (world, id, kind, count) => {
  const job = await world.job(id);
  const found = new Set();
  let cursor = 0;
  let pages = 0;
  do {
    const page = await job.getDependencies({ [kind]: { cursor, count } });
    for (const child of Array.isArray(page[kind]) ? page[kind] : Object.keys(page[kind])) found.add(child);
    cursor = page[`next${kind[0].toUpperCase()}${kind.slice(1)}Cursor`];
    pages += 1;
  } while (cursor);
  return [[...found].sort(), pages > 1];
};
export const children = async (world, id, kind, start, end) => {
  const { items, jobs, total } = await world.queue.getDependencies(id, kind, start, end);
  return { items, jobs: jobs.map((job) => job.name), total };
};
export const dependenciesCount = async (world, id) => {
  const { processed, unprocessed, ignored, failed } = await (await world.job(id)).getDependenciesCount();
  return { processed, unprocessed, ignored, failed };
};
export const childrenValues = async (world, id) => (await world.job(id)).getChildrenValues();
export const ignoredFailures = async (world, id) => (await world.job(id)).getIgnoredChildrenFailures();
export const removeChildDependency = async (world, id) => (await world.job(id)).removeChildDependency();
export const removeUnprocessedChildren = async (world, id) => { await (await world.job(id)).removeUnprocessedChildren(); };
