"""A pipeline whose second operator asks for GPUs that there are not."""

import ray

ray.init(address="auto")
ray.data.range(64, override_num_blocks=8).map_batches(lambda batch: batch).map_batches(
    lambda batch: batch, num_gpus=8, batch_size=8
).materialize()
