export {
  bad,
  type Diagnosis,
  type Examination,
  examine,
  good,
  isIll,
  printDiagnoses,
  VERDICTS,
  warning,
} from './diagnosis.ts'
export { certificateIn, clockOf, folderAt, loads, NODE, reach, roomAt } from './host.ts'
