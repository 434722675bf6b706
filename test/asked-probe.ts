import {
  probeStatementSchema,
  type SaidProbe,
  type VouchedProbe,
} from '../shared/messages/orders.ts'

/** What a signed probe order asks for; whether it is believed is another question. */
export function askedProbe({ vouched }: VouchedProbe): SaidProbe {
  return probeStatementSchema.parse(JSON.parse(vouched.payload)).order
}
