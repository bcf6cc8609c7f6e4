"""What the source of a code override may use. All else is refused with the nearest that is allowed."""

from __future__ import annotations

_BUILTINS = """
    abs all any bool dict enumerate float int isinstance len list max min range reversed round sorted sum tuple zip str
"""

_TORCH = """
    Tensor abs acos acosh add all allclose amax amin any arange argmax argmin asin atan atan2 bmm bool cat ceil chunk
    clamp clip clone concat cos cosh count_nonzero cross cummax cummin cumprod cumsum deg2rad diff div dot einsum
    empty_like eq erf exp expm1 eye finfo flatten flip float float32 float64 floor floor_divide fmod frac full
    full_like functional gather ge gt hypot int int32 int64 inner isclose isfinite isinf isnan le lerp linalg linspace
    log log10 log1p log2 logical_and logical_not logical_or logical_xor long lt matmul max maximum mean median min
    minimum movedim mul nan_to_num ne neg nn norm numel ones ones_like outer permute pi pow prod quantile rad2deg
    reciprocal relu remainder reshape roll round rsqrt select sigmoid sign sin sinh softmax sort special sqrt square
    squeeze stack std std_mean sub sum tan tanh tensor tile topk transpose tril triu unbind unsqueeze var vector_norm
    vstack where zeros zeros_like
"""

_FRAMES = """
    combine_frame_transforms euler_xyz_from_quat matrix_from_quat normalize quat_apply quat_apply_inverse quat_apply_yaw
    quat_conjugate quat_error_magnitude quat_inv quat_mul subtract_frame_transforms wrap_to_pi yaw_quat
"""

_ENVIRONMENT = """
    scene command_manager action_manager termination_manager step_dt physics_dt num_envs device episode_length_buf
    max_episode_length max_episode_length_s common_step_counter
"""

_REFUSED = """
    apply_ apply_action cfg close compute cpp_extension data_ptr dump export extras format format_map from_file hub load
    map_ mro numpy open ops process_action process_actions reset save serialization share_memory_ sim stage step storage
    tofile untyped_storage unwrapped update
"""

BUILTINS = frozenset(_BUILTINS.split())

TORCH = frozenset(_TORCH.split())
"""Names of torch, and of ``torch.linalg``, ``torch.special`` and ``torch.nn.functional`` below it."""

IMPORTS: dict[str, frozenset[str] | None] = {
    "__future__": frozenset({"annotations"}),
    "math": None,
    "torch": TORCH,
    "typing": frozenset({"Any"}),
    "isaaclab.managers": frozenset({"SceneEntityCfg"}),
    "isaaclab.utils.math": frozenset(_FRAMES.split()),
}
"""Modules, and which of their names; None for all. Only ``math`` and ``torch`` may be imported whole."""

ENVIRONMENT = frozenset(_ENVIRONMENT.split())
"""What a term may read of the environment."""

REFUSED_ATTRIBUTES = frozenset(_REFUSED.split())
"""Attributes that reach beyond the numbers: files, the simulator, the stage, memory. Those that begin with an
underscore, with ``set_`` or ``write_``, or end with one underscore (in place) are refused as well."""
