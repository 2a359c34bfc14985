"""An output folder that was moved: the metadata store in it holds the absolute path of every artifact."""

from __future__ import annotations

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2 as pb

from pipeline.store.folders import RunFolders


def where_now(uri: str, folders: RunFolders) -> str:
    """Return the path of an artifact below the instrument's folder as that lies now; other URIs as they are."""
    _, found, rest = uri.rpartition(f"/{folders.name}/pipeline/")
    return f"{folders.pipeline_root.resolve()}/{rest}" if found else uri


def settle(folders: RunFolders) -> int:
    """Update an instrument's metadata store, which is intact and not empty, to where its output folder is now.

    Returns:
      The number of artifacts whose path changed.
    """
    store, changed = writable(folders), []
    for artifact in store.get_artifacts():
        uri = where_now(artifact.uri, folders)
        if uri != artifact.uri:
            artifact.uri = uri
            changed.append(artifact)
    store.put_artifacts(changed)
    return len(changed)


def writable(folders: RunFolders) -> mlmd.MetadataStore:
    """Open an instrument's metadata store to change it."""
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(folders.metadata)
    config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READWRITE
    return mlmd.MetadataStore(config)
