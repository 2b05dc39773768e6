"""The CONFIG.toml of a model of arrays."""
import tomllib


def read_config(path, keys):
    """Of `keys`, by name and type, each once and no others."""
    with open(path, 'rb') as f:
        config = tomllib.load(f)
    for key, kind in keys.items():
        if not isinstance(config.get(key), kind):
            raise SystemExit(f'{path}: {key}: a {kind.__name__} is wanted')
    unknown = set(config) - set(keys)
    if unknown:
        raise SystemExit(f'{path}: unknown: {", ".join(sorted(unknown))}')
    return config
