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
export const dependenciesCount = async (world, id) => {
  const { processed, unprocessed, ignored, failed } = await (await world.job(id)).getDependenciesCount();
  return { processed, unprocessed, ignored, failed };
};
export const childrenValues = async (world, id) => (await world.job(id)).getChildrenValues();
export const ignoredFailures = async (world, id) => (await world.job(id)).getIgnoredChildrenFailures();
export const removeChildDependency = async (world, id) => (await world.job(id)).removeChildDependency();
export const removeUnprocessedChildren = async (world, id) => { await (await world.job(id)).removeUnprocessedChildren(); };
