import { answerOf, api } from './client';

const at = (id: string) => ({ params: { path: { id } } });

export const readWebhooks = async () => (await answerOf(api.GET('/v1/webhooks'))).items;
export const readDeliveries = async (id: string) =>
  (await answerOf(api.GET('/v1/webhooks/{id}/deliveries', at(id)))).items;

export const testWebhook = (id: string) => answerOf(api.POST('/v1/webhooks/{id}/test', at(id)));
export const enableWebhook = (id: string) => answerOf(api.POST('/v1/webhooks/{id}/enable', at(id)));
export const removeWebhook = (id: string) => answerOf(api.DELETE('/v1/webhooks/{id}', at(id)));
/** @returns the webhook with its new secret */
export const rotateSecret = (id: string) => answerOf(api.POST('/v1/webhooks/{id}/rotate-secret', at(id)));
export const resend = (id: string, jobId: string) =>
  answerOf(api.POST('/v1/webhooks/{id}/deliveries/{jobId}/resend', { params: { path: { id, jobId } } }));

export type Webhook = Awaited<ReturnType<typeof readWebhooks>>[number];
export type Delivery = Awaited<ReturnType<typeof readDeliveries>>[number];
