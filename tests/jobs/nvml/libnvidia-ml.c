/* A driver library for machines without GPUs. It answers the calls that Wavebook makes from the text file that the
 * environment variable NVML_DEVICES names, read anew at each initialisation, one line a device:
 *
 *     gpu UUID MEMORY_USED UTILISATION [PID ...]
 *     mig UUID MEMORY_USED UTILISATION [PID ...]      an instance of the GPU above it
 *
 * The memory of each device is 80 GiB. NVML_FAILURE, a return code, makes the initialisation fail.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7 };
enum { MOST_DEVICES = 64, MOST_PROCESSES = 64 };

typedef struct {
    char uuid[80];
    unsigned long long used;
    unsigned int load, processes, pids[MOST_PROCESSES];
    int parent; /* -1 for a GPU */
} Device;

typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { unsigned int gpu, memory; } Utilisation;
typedef struct { unsigned int pid; unsigned long long used; unsigned int instance, compute; } Process;

static Device devices[MOST_DEVICES];
static int count;

static Device *gpu_at(unsigned int index) {
    for (int i = 0; i < count; i++)
        if (devices[i].parent < 0 && index-- == 0) return &devices[i];
    return NULL;
}

int nvmlInitWithFlags(unsigned int flags) {
    const char *failure = getenv("NVML_FAILURE"), *path = getenv("NVML_DEVICES");
    if (failure) return atoi(failure);
    FILE *file = path ? fopen(path, "r") : NULL;
    char line[4096];
    int gpu = -1;
    count = 0;
    while (file && count < MOST_DEVICES && fgets(line, sizeof line, file)) {
        Device *device = &devices[count];
        char kind[8];
        int read = 0;
        memset(device, 0, sizeof *device);
        if (sscanf(line, "%7s %79s %llu %u%n", kind, device->uuid, &device->used, &device->load, &read) < 4) continue;
        device->parent = strcmp(kind, "mig") == 0 ? gpu : -1;
        if (device->parent < 0) gpu = count;
        for (char *word = strtok(line + read, " \n"); word && device->processes < MOST_PROCESSES; word = strtok(NULL, " \n"))
            device->pids[device->processes++] = (unsigned int)atoi(word);
        count++;
    }
    if (file) fclose(file);
    return SUCCESS;
}
int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
int nvmlShutdown(void) { return SUCCESS; }
const char *nvmlErrorString(int code) { return code == 999 ? "Unknown Error" : "an error of the driver library"; }

int nvmlDeviceGetCount_v2(unsigned int *found) {
    *found = 0;
    while (gpu_at(*found)) ++*found;
    return SUCCESS;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, Device **device) {
    *device = gpu_at(index);
    return *device ? SUCCESS : INVALID_ARGUMENT;
}
int nvmlDeviceGetHandleByUUID(const char *uuid, Device **device) {
    for (int i = 0; i < count; i++)
        if (strcmp(devices[i].uuid, uuid) == 0) return *device = &devices[i], SUCCESS;
    return NOT_FOUND;
}
int nvmlDeviceGetUUID(Device *device, char *uuid, unsigned int length) {
    snprintf(uuid, length, "%s", device->uuid);
    return SUCCESS;
}
int nvmlDeviceGetName(Device *device, char *name, unsigned int length) {
    snprintf(name, length, "%s", device->parent < 0 ? "Simulated GPU" : "MIG 1g.10gb");
    return SUCCESS;
}
int nvmlDeviceGetMemoryInfo(Device *device, Memory *memory) {
    memory->total = 80ULL << 30;
    memory->used = device->used;
    memory->free = memory->total - memory->used;
    return SUCCESS;
}
int nvmlDeviceGetUtilizationRates(Device *device, Utilisation *rates) {
    if (device->parent >= 0) return NOT_SUPPORTED; /* as with real instances */
    rates->gpu = device->load;
    rates->memory = 0;
    return SUCCESS;
}
int nvmlDeviceGetComputeRunningProcesses_v3(Device *device, unsigned int *number, Process *processes) {
    unsigned int room = *number;
    *number = device->processes;
    if (device->processes == 0) return SUCCESS;
    if (room < device->processes || !processes) return INSUFFICIENT_SIZE;
    for (unsigned int i = 0; i < device->processes; i++)
        processes[i] = (Process){device->pids[i], 1ULL << 30, ~0U, ~0U};
    return SUCCESS;
}
int nvmlDeviceGetMigMode(Device *device, unsigned int *current, unsigned int *pending) {
    *current = 0;
    for (int i = 0; i < count; i++)
        if (devices[i].parent >= 0 && &devices[devices[i].parent] == device) *current = 1;
    *pending = *current;
    return SUCCESS;
}
int nvmlDeviceGetMaxMigDeviceCount(Device *device, unsigned int *number) { return *number = 7, SUCCESS; }
int nvmlDeviceGetMigDeviceHandleByIndex(Device *device, unsigned int index, Device **instance) {
    for (int i = 0; i < count; i++)
        if (devices[i].parent >= 0 && &devices[devices[i].parent] == device && index-- == 0)
            return *instance = &devices[i], SUCCESS;
    return NOT_FOUND;
}
