// What ONNX Runtime's CUDA provider asks of CUDA before it computes: a card, memory and handles. Whatever is not here is a function
// that does nothing and returns 0 (libraries.py). Each library has all of this, and exports what the provider takes from it.

#include <stdlib.h>
#include <string.h>

void stub_copy(int kind, size_t bytes);

#define MULTIPROCESSORS 132
#define MEMORY ((size_t)80 << 30)
#define VERSION 13000

static int handle;
#define HANDLE(name, ...) int name(void **out, ##__VA_ARGS__) { *out = &handle; return 0; }
#define TEXT(name) const char *name(int error) { return "stub"; }

int cudaGetDeviceCount(int *count) { *count = 1; return 0; }
int cudaGetDevice(int *device) { *device = 0; return 0; }
int cudaDriverGetVersion(int *version) { *version = VERSION; return 0; }
int cudaRuntimeGetVersion(int *version) { *version = VERSION; return 0; }
size_t cudnnGetVersion(void) { return 91000; }

// cudaDeviceProp of CUDA 13: the fields that the provider reads, by their offsets.
int cudaGetDeviceProperties(char *properties, int device) {
  memset(properties, 0, 800);
  *(size_t *)(properties + 288) = MEMORY;
  *(size_t *)(properties + 296) = 48 << 10;      // sharedMemPerBlock
  *(int *)(properties + 304) = 64 << 10;         // regsPerBlock
  *(int *)(properties + 308) = 32;               // warpSize
  *(int *)(properties + 320) = 1024;             // maxThreadsPerBlock
  *(int *)(properties + 360) = 9;                // major
  *(int *)(properties + 384) = MULTIPROCESSORS;
  return 0;
}

// 75 and 76 are the two parts of the compute capability.
int cudaDeviceGetAttribute(int *value, int attribute, int device) {
  *value = attribute == 75 ? 9 : attribute == 76 ? 0 : 1024;
  return 0;
}

int cudaMemGetInfo(size_t *free, size_t *total) { *free = *total = MEMORY; return 0; }
int cudaMalloc(void **out, size_t bytes) { *out = malloc(bytes ? bytes : 1); return *out ? 0 : 2; }
int cudaMallocHost(void **out, size_t bytes) { return cudaMalloc(out, bytes); }
int cudaHostAlloc(void **out, size_t bytes, unsigned flags) { return cudaMalloc(out, bytes); }
int cudaFree(void *memory) { free(memory); return 0; }
int cudaFreeHost(void *memory) { free(memory); return 0; }

int cudaMemcpy(void *to, const void *from, size_t bytes, int kind) {
  stub_copy(kind, bytes);
  memcpy(to, from, bytes);
  return 0;
}
int cudaMemcpyAsync(void *to, const void *from, size_t bytes, int kind, void *stream) {
  return cudaMemcpy(to, from, bytes, kind);
}
int cudaMemset(void *to, int value, size_t bytes) { memset(to, value, bytes); return 0; }
int cudaMemsetAsync(void *to, int value, size_t bytes, void *stream) { return cudaMemset(to, value, bytes); }

HANDLE(cudaStreamCreate)
HANDLE(cudaStreamCreateWithFlags, unsigned flags)
HANDLE(cudaEventCreate)
HANDLE(cudaEventCreateWithFlags, unsigned flags)
HANDLE(cublasCreate_v2)
HANDLE(cublasLtCreate)
HANDLE(cudnnCreate)
void **__cudaRegisterFatBinary(void *binary) { static void *registered; return &registered; }

int cudnnBackendCreateDescriptor(int type, void **out) { *out = &handle; return 0; }
// One of everything, and of pointers to descriptors (type 15) those that the caller brought.
int cudnnBackendGetAttribute(void *descriptor, int name, int type, long asked, long *count, void *out) {
  if (count) *count = asked < 1 ? 1 : asked;
  if (out && asked > 0 && type != 15) memset(out, 0, 8);
  return 0;
}

TEXT(cudaGetErrorString)
TEXT(cudaGetErrorName)
TEXT(cublasGetStatusString)
TEXT(cublasGetStatusName)
TEXT(cudnnGetErrorString)
void cudnnGetLastErrorString(char *text, size_t bytes) { if (bytes) *text = 0; }
