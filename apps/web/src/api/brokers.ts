import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from './client';

export function useBrokers() {
  return useQuery({
    queryKey: ['brokers'],
    queryFn: () => answerOf(api.GET('/v1/brokers')),
    refetchInterval: 5_000,
  });
}
