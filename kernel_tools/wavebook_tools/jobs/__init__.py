"""The queue and the processes behind it: devices, leases, dispatcher, supervisor, worker."""
