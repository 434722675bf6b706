/** Two-sided 95 % quantiles of Student's t for 1 … 10 degrees of freedom. (Biometrika 1908, 6:1.) */
const T95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228]

/** For more of them: from 11 on it lies between 2.2 and the normal distribution's 1.96. */
const OF_MORE = 2.1

/** How many standard errors to either side hold 95 %, for so many degrees of freedom. @param degrees at least 1 */
export function studentT95(degrees: number): number {
  return T95[degrees - 1] ?? OF_MORE
}
