const COUNTS = 'how much it gives is known only when the model runs'
const RANDOM = 'it draws at random'
const SEQUENCE = '.tflite has no sequences'
const TEXT = 'no .tflite kernel takes text'

/** Operators without a .tflite form, where more can be said than that. */
export const REFUSED: Readonly<Record<string, string>> = {
  Scan: 'along which axis it scans is known only when the model runs',
  If: 'its branches give different sizes',
  NonMaxSuppression: `${COUNTS}; fitment convert leaves it out, with what is behind it`,
  NonZero: COUNTS,
  Unique: COUNTS,
  Compress: COUNTS,
  RandomNormal: RANDOM,
  RandomNormalLike: RANDOM,
  RandomUniform: RANDOM,
  RandomUniformLike: RANDOM,
  Multinomial: RANDOM,
  Bernoulli: RANDOM,
  SequenceAt: SEQUENCE,
  SequenceConstruct: SEQUENCE,
  SequenceEmpty: SEQUENCE,
  SequenceInsert: SEQUENCE,
  SequenceErase: SEQUENCE,
  SequenceLength: SEQUENCE,
  SplitToSequence: SEQUENCE,
  ConcatFromSequence: SEQUENCE,
  Optional: SEQUENCE,
  OptionalGetElement: SEQUENCE,
  OptionalHasElement: SEQUENCE,
  StringNormalizer: TEXT,
  StringConcat: TEXT,
  StringSplit: TEXT,
  RegexFullMatch: TEXT,
  TfIdfVectorizer: TEXT,
  LabelEncoder: TEXT,
}
