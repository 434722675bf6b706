/*
 * A model run over and over by TensorFlow Lite's C API: what a C program sees, to hold our measurements against.
 * loop MODEL ROUNDS prints the median in ms. Input and output are copied as a program would; the inputs are the noise
 * that `fitment bench` feeds without data, eight in turn.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tensorflow/lite/c/c_api.h"

#define INPUTS 8

typedef struct {
  int32_t threads;
  uint32_t flags;
  void* cache;
} XnnpackOptions;
XnnpackOptions TfLiteXNNPackDelegateOptionsDefault(void);
TfLiteDelegate* TfLiteXNNPackDelegateCreate(const XnnpackOptions* options);

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return 1e3 * time.tv_sec + 1e-6 * time.tv_nsec;
}

static int by_size(const void* a, const void* b) {
  const double d = *(const double*)a - *(const double*)b;
  return d < 0 ? -1 : d > 0;
}

/* Uniform in [0, 1) for floats, over the low byte for integers. */
static void* noise(const TfLiteTensor* like, uint32_t* state) {
  const size_t bytes = TfLiteTensorByteSize(like);
  const int real = TfLiteTensorType(like) == kTfLiteFloat32;
  void* made = malloc(bytes);
  for (size_t i = 0; i < (real ? bytes / sizeof(float) : bytes); i++) {
    *state = *state * 1664525u + 1013904223u;
    const double uniform = (*state >> 8) / 16777216.0;
    if (real) ((float*)made)[i] = (float)uniform;
    else ((int8_t*)made)[i] = (int8_t)(uniform * 128);
  }
  return made;
}

int main(int argc, char** argv) {
  const int rounds = atoi(argv[2]);
  TfLiteModel* model = TfLiteModelCreateFromFile(argv[1]);
  TfLiteInterpreterOptions* options = TfLiteInterpreterOptionsCreate();
  TfLiteInterpreterOptionsSetNumThreads(options, 1);
  XnnpackOptions xnnpack = TfLiteXNNPackDelegateOptionsDefault();
  xnnpack.threads = 1;
  xnnpack.flags |= 3;
  TfLiteInterpreterOptionsAddDelegate(options, TfLiteXNNPackDelegateCreate(&xnnpack));
  TfLiteInterpreter* interpreter = TfLiteInterpreterCreate(model, options);
  if (!interpreter || TfLiteInterpreterAllocateTensors(interpreter)) return 1;
  TfLiteTensor* in = TfLiteInterpreterGetInputTensor(interpreter, 0);
  const TfLiteTensor* out = TfLiteInterpreterGetOutputTensor(interpreter, 0);
  uint32_t state = 1;
  void* inputs[INPUTS];
  for (int i = 0; i < INPUTS; i++) inputs[i] = noise(in, &state);
  void* output = malloc(TfLiteTensorByteSize(out));
  double* times = malloc(sizeof(double) * rounds);
  for (int i = -rounds / 10; i < rounds; i++) {
    const double start = now();
    TfLiteTensorCopyFromBuffer(in, inputs[(unsigned)i % INPUTS], TfLiteTensorByteSize(in));
    if (TfLiteInterpreterInvoke(interpreter)) return 1;
    TfLiteTensorCopyToBuffer(out, output, TfLiteTensorByteSize(out));
    if (i >= 0) times[i] = now() - start;
  }
  qsort(times, rounds, sizeof(double), by_size);
  printf("%f\n", times[rounds / 2]);
  return 0;
}
