/*
 * A delegate of TensorFlow Lite for tests, standing in for an accelerator: it takes convolutions, and computes them by
 * running the library's own kernels inside its partitions. Built with -DIDLE it takes nothing.
 * Options: take = conv | all | none; type = any | float (as a GPU, which has no integers); fail = null | crash-create | crash-prepare | crash-invoke | hang | zeros.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tensorflow/lite/c/c_api_types.h"
#include "tensorflow/lite/c/common.h"

enum { CONV_2D = 3, DEPTHWISE_CONV_2D = 4, DELEGATE = 51 };

typedef struct {
  TfLiteDelegate delegate;
  char take[16];
  char type[16];
  char fail[16];
} TestDelegate;

/* Nodes and kernels are copied: the runtime moves them as it adds nodes, and hands them out to Prepare only. */
typedef struct {
  const TestDelegate* owner;
  int size;
  TfLiteNode* nodes;
  TfLiteRegistration* kernels;
} Partition;

/* Of the headers' inline part only, so that the delegate needs no library of its own. */
static TfLiteIntArray* new_array(int size) {
  TfLiteIntArray* array = malloc(sizeof(int) * (size + 1));
  array->size = size;
  return array;
}

static int failing(const TestDelegate* self, const char* how) { return strcmp(self->fail, how) == 0; }

static void crash(void) {
  fprintf(stderr, "test delegate: fatal error, as asked\n");
  *(volatile int*)NULL = 0;
}

static void* partition_init(TfLiteContext* context, const char* buffer, size_t length) {
  const TfLiteDelegateParams* params = (const TfLiteDelegateParams*)buffer;
  const TfLiteIntArray* replaced = params->nodes_to_replace;
  Partition* partition = malloc(sizeof(Partition));
  partition->owner = (const TestDelegate*)params->delegate->data_;
  partition->size = replaced->size;
  partition->nodes = malloc(sizeof(TfLiteNode) * replaced->size);
  partition->kernels = malloc(sizeof(TfLiteRegistration) * replaced->size);
  for (int i = 0; i < replaced->size; i++) {
    TfLiteNode* node;
    TfLiteRegistration* kernel;
    context->GetNodeAndRegistration(context, replaced->data[i], &node, &kernel);
    partition->nodes[i] = *node;
    partition->nodes[i].temporaries = new_array(0);
    partition->kernels[i] = *kernel;
  }
  return partition;
}

static void partition_free(TfLiteContext* context, void* data) {
  Partition* partition = data;
  for (int i = 0; i < partition->size; i++) free(partition->nodes[i].temporaries);
  free(partition->nodes);
  free(partition->kernels);
  free(partition);
}

static int holds(const TfLiteIntArray* array, int value) {
  for (int i = 0; i < array->size; i++)
    if (array->data[i] == value) return 1;
  return 0;
}

/* Memory is planned for tensors that nodes of the plan name: ours must name what its inner nodes use. */
static TfLiteStatus partition_prepare(TfLiteContext* context, TfLiteNode* node) {
  Partition* partition = node->user_data;
  int room = 0;
  int* inner = NULL;
  for (int i = 0; i < partition->size; i++) {
    TfLiteNode* one = &partition->nodes[i];
    const TfLiteRegistration* kernel = &partition->kernels[i];
    if (kernel->prepare && kernel->prepare(context, one)) return kTfLiteError;
    const TfLiteIntArray* lists[2] = {one->outputs, one->temporaries};
    for (int list = 0; list < 2; list++)
      for (int k = 0; lists[list] && k < lists[list]->size; k++)
        if (!holds(node->outputs, lists[list]->data[k])) {
          inner = realloc(inner, sizeof(int) * (room + 1));
          inner[room++] = lists[list]->data[k];
        }
  }
  if (node->temporaries) free(node->temporaries);
  node->temporaries = new_array(room);
  for (int i = 0; i < room; i++) {
    node->temporaries->data[i] = inner[i];
    TfLiteTensor* tensor = &context->tensors[inner[i]];
    if (tensor->allocation_type == kTfLiteMemNone) tensor->allocation_type = kTfLiteArenaRw;
  }
  free(inner);
  return kTfLiteOk;
}

static TfLiteStatus partition_invoke(TfLiteContext* context, TfLiteNode* node) {
  Partition* partition = node->user_data;
  if (failing(partition->owner, "crash-invoke")) crash();
  while (failing(partition->owner, "hang")) sleep(1);
  if (failing(partition->owner, "zeros")) {
    for (int i = 0; i < node->outputs->size; i++) {
      TfLiteTensor* out = &context->tensors[node->outputs->data[i]];
      memset(out->data.raw, 0, out->bytes);
    }
    return kTfLiteOk;
  }
  for (int i = 0; i < partition->size; i++)
    if (partition->kernels[i].invoke(context, &partition->nodes[i])) return kTfLiteError;
  return kTfLiteOk;
}

static int takes(const TestDelegate* self, int code) {
  if (strcmp(self->take, "none") == 0 || code == DELEGATE) return 0;
  if (strcmp(self->take, "all") == 0) return 1;
  return code == CONV_2D || code == DEPTHWISE_CONV_2D;
}

/* Operands and results in float32: weights stored smaller become float before, by an operator of their own. */
static int suits(const TestDelegate* self, const TfLiteContext* context, const TfLiteNode* node) {
  if (strcmp(self->type, "float") != 0) return 1;
  for (int i = 0; i < node->inputs->size; i++) {
    int input = node->inputs->data[i];
    if (input >= 0 && context->tensors[input].type != kTfLiteFloat32) return 0;
  }
  return context->tensors[node->outputs->data[0]].type == kTfLiteFloat32;
}

static TfLiteStatus prepare(TfLiteContext* context, TfLiteDelegate* delegate) {
  TestDelegate* self = delegate->data_;
  if (failing(self, "crash-prepare")) crash();
  TfLiteIntArray* plan;
  if (context->GetExecutionPlan(context, &plan)) return kTfLiteError;
  TfLiteIntArray* wanted = new_array(plan->size);
  wanted->size = 0;
  for (int i = 0; i < plan->size; i++) {
    TfLiteNode* node;
    TfLiteRegistration* kernel;
    if (context->GetNodeAndRegistration(context, plan->data[i], &node, &kernel)) return kTfLiteError;
    if (takes(self, kernel->builtin_code) && suits(self, context, node)) wanted->data[wanted->size++] = plan->data[i];
  }
  TfLiteRegistration registration;
  memset(&registration, 0, sizeof(registration));
  registration.init = partition_init;
  registration.free = partition_free;
  registration.prepare = partition_prepare;
  registration.invoke = partition_invoke;
  registration.builtin_code = DELEGATE;
  registration.custom_name = "TestDelegate";
  registration.version = 1;
  TfLiteStatus status = kTfLiteOk;
  if (wanted->size > 0)
    status = context->ReplaceNodeSubsetsWithDelegateKernels(context, registration, wanted, delegate);
  free(wanted);
  return status;
}

TfLiteDelegate* tflite_plugin_create_delegate(const char** keys, const char** values, size_t count,
                                              void (*report)(const char*)) {
  TestDelegate* self = calloc(1, sizeof(TestDelegate));
#ifdef IDLE
  strcpy(self->take, "none");
#else
  strcpy(self->take, "conv");
#endif
  for (size_t i = 0; i < count; i++) {
    if (strcmp(keys[i], "take") == 0) strncpy(self->take, values[i], sizeof(self->take) - 1);
    else if (strcmp(keys[i], "type") == 0) strncpy(self->type, values[i], sizeof(self->type) - 1);
    else if (strcmp(keys[i], "fail") == 0) strncpy(self->fail, values[i], sizeof(self->fail) - 1);
    else {
      report("unknown option of the test delegate");
      free(self);
      return NULL;
    }
  }
  if (failing(self, "crash-create")) crash();
  if (failing(self, "null")) {
    report("the test device is not there");
    free(self);
    return NULL;
  }
  self->delegate.data_ = self;
  self->delegate.Prepare = prepare;
  return &self->delegate;
}

void tflite_plugin_destroy_delegate(TfLiteDelegate* delegate) { free(delegate->data_); }
