import type { QualitySubject } from './subject.ts'
import { conformance } from './subjects/conformance.ts'
import { ic01 } from './subjects/ic01.ts'

/** In the order they are printed. A new subject is a file in `subjects/` and a line here. */
export const SUBJECTS: readonly QualitySubject[] = [ic01, conformance]
