/* A libnvidia-ml.so.1 that reports GPUs from a text file, for tests on machines without one.
 *
 * Written from NVML's public API for the calls that Ray makes through its vendored pynvml; everything else is
 * left out on purpose, and pynvml turns a missing symbol into NVML_ERROR_FUNCTION_NOT_FOUND.
 *
 * The file named by RAYAKASH_NVML_STUB is read again at every call, so that a test drives the figures of a
 * running Ray. One figure a line, `unreadable` makes the call for it fail as a real driver does:
 *
 *     gpu                                begins the next GPU
 *     name NVIDIA A100-SXM4-80GB
 *     uuid GPU-00000000-0000-0000-0000-000000000000
 *     memory 1024 81920                  used and total, MiB
 *     utilization 37                     per cent
 *     power 250000                       milliwatts
 *     temperature 45                     degrees Celsius
 *     process 4711 512 12                pid, MiB, per cent; once for each process
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_GPUS 16
#define MAX_PROCESSES 64
#define TEXT_SIZE 96 /* NVML_DEVICE_NAME_V2_BUFFER_SIZE */
#define MIB (1024ULL * 1024ULL)
#define UNREADABLE (-1L)
#define EXPORT __attribute__((visibility("default")))

/* Values and layouts below are NVML's own; pynvml's ctypes structures must match them byte for byte. */
typedef enum {
    NVML_SUCCESS = 0,
    NVML_ERROR_INVALID_ARGUMENT = 2,
    NVML_ERROR_NOT_SUPPORTED = 3,
    NVML_ERROR_NOT_FOUND = 6,
    NVML_ERROR_INSUFFICIENT_SIZE = 7,
    NVML_ERROR_DRIVER_NOT_LOADED = 9,
    NVML_ERROR_ARGUMENT_VERSION_MISMATCH = 25,
} nvmlReturn_t;

typedef void *nvmlDevice_t;
typedef struct { unsigned long long total, free, used; } nvmlMemory_t;
typedef struct { unsigned int gpu, memory; } nvmlUtilization_t;

typedef struct { /* what the _v3 calls fill */
    unsigned int pid;
    unsigned long long usedGpuMemory;
    unsigned int gpuInstanceId, computeInstanceId;
} nvmlProcessInfo_t;

typedef struct {
    unsigned long long timeStamp;
    unsigned int pid, smUtil, memUtil, encUtil, decUtil, jpgUtil, ofaUtil;
} nvmlProcessUtilizationInfo_v1_t;

typedef struct {
    unsigned int version, processSamplesCount;
    unsigned long long lastSeenTimeStamp;
    nvmlProcessUtilizationInfo_v1_t *procUtilArray;
} nvmlProcessesUtilizationInfo_v1_t;

#define PROCESSES_UTILIZATION_VERSION (sizeof(nvmlProcessesUtilizationInfo_v1_t) | (1U << 24))
#define MEMORY_NOT_AVAILABLE (~0ULL) /* NVML_VALUE_NOT_AVAILABLE */

_Static_assert(sizeof(nvmlMemory_t) == 24, "nvmlMemory_t");
_Static_assert(sizeof(nvmlProcessInfo_t) == 24, "nvmlProcessInfo_v2_t");
_Static_assert(sizeof(nvmlProcessUtilizationInfo_v1_t) == 40, "nvmlProcessUtilizationInfo_v1_t");
_Static_assert(PROCESSES_UTILIZATION_VERSION == 0x01000018, "nvmlProcessesUtilizationInfo_v1");

/* ---- the file ---- */

struct process {
    unsigned int pid;
    long memory, utilization;
};

struct gpu {
    char name[TEXT_SIZE], uuid[TEXT_SIZE];
    long memory_used, memory_total, utilization, power, temperature;
    unsigned int process_count;
    struct process processes[MAX_PROCESSES];
};

struct fleet {
    unsigned int count;
    struct gpu gpus[MAX_GPUS];
};

static long figure(const char *text) {
    return strncmp(text, "unreadable", 10) == 0 ? UNREADABLE : strtol(text, NULL, 10);
}

static void copy(char *to, const char *from) {
    snprintf(to, TEXT_SIZE, "%.*s", (int)(TEXT_SIZE - 1), from);
}

static void add_process(struct gpu *gpu, const char *rest) {
    char memory[32] = "0", utilization[32] = "0";
    struct process *process = &gpu->processes[gpu->process_count];
    if (gpu->process_count == MAX_PROCESSES) return;
    if (sscanf(rest, "%u %31s %31s", &process->pid, memory, utilization) != 3) return;
    process->memory = figure(memory);
    process->utilization = figure(utilization);
    gpu->process_count++;
}

static void set_figure(struct gpu *gpu, const char *key, const char *rest) {
    if (strcmp(key, "name") == 0) copy(gpu->name, rest);
    else if (strcmp(key, "uuid") == 0) copy(gpu->uuid, rest);
    else if (strcmp(key, "memory") == 0) sscanf(rest, "%ld %ld", &gpu->memory_used, &gpu->memory_total);
    else if (strcmp(key, "utilization") == 0) gpu->utilization = figure(rest);
    else if (strcmp(key, "power") == 0) gpu->power = figure(rest);
    else if (strcmp(key, "temperature") == 0) gpu->temperature = figure(rest);
    else if (strcmp(key, "process") == 0) add_process(gpu, rest);
}

static void read_line(struct fleet *fleet, char *line) {
    line[strcspn(line, "\n")] = '\0';
    char *space = strchr(line, ' ');
    if (space != NULL) *space = '\0';
    if (strcmp(line, "gpu") == 0 && fleet->count < MAX_GPUS) fleet->count++;
    else if (space != NULL && fleet->count > 0) set_figure(&fleet->gpus[fleet->count - 1], line, space + 1);
}

static nvmlReturn_t read_fleet(struct fleet *fleet) {
    char line[256];
    const char *path = getenv("RAYAKASH_NVML_STUB");
    FILE *file = path == NULL ? NULL : fopen(path, "r");
    memset(fleet, 0, sizeof *fleet);
    if (file == NULL) return NVML_ERROR_DRIVER_NOT_LOADED;
    while (fgets(line, sizeof line, file) != NULL) read_line(fleet, line);
    fclose(file);
    return NVML_SUCCESS;
}

/* A handle is the GPU's index plus one: NULL stays invalid, and nothing needs freeing. */
static nvmlReturn_t read_gpu(nvmlDevice_t device, struct gpu *gpu) {
    struct fleet fleet;
    uintptr_t number = (uintptr_t)device;
    nvmlReturn_t result = read_fleet(&fleet);
    if (result != NVML_SUCCESS) return result;
    if (number == 0 || number > fleet.count) return NVML_ERROR_INVALID_ARGUMENT;
    *gpu = fleet.gpus[number - 1];
    return NVML_SUCCESS;
}

static nvmlReturn_t give(long value, unsigned int *out) {
    if (value == UNREADABLE) return NVML_ERROR_NOT_SUPPORTED;
    *out = (unsigned int)value;
    return NVML_SUCCESS;
}

static nvmlReturn_t give_text(const char *text, char *out, unsigned int length) {
    if (strlen(text) + 1 > length) return NVML_ERROR_INSUFFICIENT_SIZE;
    memcpy(out, text, strlen(text) + 1);
    return NVML_SUCCESS;
}

/* ---- NVML ---- */

EXPORT nvmlReturn_t nvmlInitWithFlags(unsigned int flags) {
    struct fleet fleet;
    (void)flags;
    return read_fleet(&fleet);
}

EXPORT nvmlReturn_t nvmlShutdown(void) {
    return NVML_SUCCESS;
}

EXPORT const char *nvmlErrorString(nvmlReturn_t result) {
    switch (result) {
    case NVML_SUCCESS: return "Success";
    case NVML_ERROR_INVALID_ARGUMENT: return "Invalid Argument";
    case NVML_ERROR_NOT_SUPPORTED: return "Not Supported";
    case NVML_ERROR_NOT_FOUND: return "Not Found";
    case NVML_ERROR_INSUFFICIENT_SIZE: return "Insufficient Size";
    case NVML_ERROR_DRIVER_NOT_LOADED: return "Driver Not Loaded";
    case NVML_ERROR_ARGUMENT_VERSION_MISMATCH: return "Argument Version Mismatch";
    }
    return "Unknown Error";
}

EXPORT nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int *count) {
    struct fleet fleet;
    nvmlReturn_t result = read_fleet(&fleet);
    *count = fleet.count;
    return result;
}

EXPORT nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device) {
    struct gpu gpu;
    *device = (nvmlDevice_t)((uintptr_t)index + 1);
    return read_gpu(*device, &gpu);
}

EXPORT nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *name, unsigned int length) {
    struct gpu gpu;
    nvmlReturn_t result = read_gpu(device, &gpu);
    return result != NVML_SUCCESS ? result : give_text(gpu.name, name, length);
}

EXPORT nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *uuid, unsigned int length) {
    struct gpu gpu;
    nvmlReturn_t result = read_gpu(device, &gpu);
    return result != NVML_SUCCESS ? result : give_text(gpu.uuid, uuid, length);
}

EXPORT nvmlReturn_t nvmlDeviceGetMigMode(nvmlDevice_t device, unsigned int *current, unsigned int *pending) {
    struct gpu gpu;
    *current = *pending = 0;
    return read_gpu(device, &gpu);
}

EXPORT nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory) {
    struct gpu gpu;
    nvmlReturn_t result = read_gpu(device, &gpu);
    if (result != NVML_SUCCESS) return result;
    memory->total = (unsigned long long)gpu.memory_total * MIB;
    memory->used = (unsigned long long)gpu.memory_used * MIB;
    memory->free = memory->total - memory->used;
    return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device, nvmlUtilization_t *utilization) {
    struct gpu gpu;
    nvmlReturn_t result = read_gpu(device, &gpu);
    utilization->memory = 0;
    return result != NVML_SUCCESS ? result : give(gpu.utilization, &utilization->gpu);
}

EXPORT nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned int *milliwatts) {
    struct gpu gpu;
    nvmlReturn_t result = read_gpu(device, &gpu);
    return result != NVML_SUCCESS ? result : give(gpu.power, milliwatts);
}

EXPORT nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, int sensor, unsigned int *celsius) {
    struct gpu gpu;
    nvmlReturn_t result = read_gpu(device, &gpu);
    (void)sensor;
    return result != NVML_SUCCESS ? result : give(gpu.temperature, celsius);
}

static void describe(const struct process *process, nvmlProcessInfo_t *info) {
    int readable = process->memory != UNREADABLE;
    memset(info, 0, sizeof *info);
    info->pid = process->pid;
    info->usedGpuMemory = readable ? (unsigned long long)process->memory * MIB : MEMORY_NOT_AVAILABLE;
}

EXPORT nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v3(nvmlDevice_t device, unsigned int *count,
                                                            nvmlProcessInfo_t *infos) {
    struct gpu gpu;
    nvmlReturn_t result = read_gpu(device, &gpu);
    unsigned int room = *count;
    if (result != NVML_SUCCESS) return result;
    *count = gpu.process_count;
    if (room < gpu.process_count) return NVML_ERROR_INSUFFICIENT_SIZE;
    for (unsigned int i = 0; i < gpu.process_count; i++) describe(&gpu.processes[i], &infos[i]);
    return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetGraphicsRunningProcesses_v3(nvmlDevice_t device, unsigned int *count,
                                                             nvmlProcessInfo_t *infos) {
    struct gpu gpu;
    (void)infos;
    *count = 0;
    return read_gpu(device, &gpu);
}

static unsigned int samples(const struct gpu *gpu, nvmlProcessUtilizationInfo_v1_t *out) {
    unsigned int count = 0;
    for (unsigned int i = 0; i < gpu->process_count; i++) {
        if (gpu->processes[i].utilization == UNREADABLE) continue;
        if (out != NULL) {
            memset(&out[count], 0, sizeof out[count]);
            out[count].pid = gpu->processes[i].pid;
            out[count].smUtil = (unsigned int)gpu->processes[i].utilization;
        }
        count++;
    }
    return count;
}

EXPORT nvmlReturn_t nvmlDeviceGetProcessesUtilizationInfo(nvmlDevice_t device,
                                                          nvmlProcessesUtilizationInfo_v1_t *info) {
    struct gpu gpu;
    nvmlReturn_t result = read_gpu(device, &gpu);
    if (result != NVML_SUCCESS) return result;
    if (info->version != PROCESSES_UTILIZATION_VERSION) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
    unsigned int room = info->processSamplesCount;
    info->processSamplesCount = samples(&gpu, NULL);
    if (info->processSamplesCount == 0) return NVML_ERROR_NOT_FOUND;
    if (info->procUtilArray == NULL || room < info->processSamplesCount) return NVML_ERROR_INSUFFICIENT_SIZE;
    samples(&gpu, info->procUtilArray);
    return NVML_SUCCESS;
}
