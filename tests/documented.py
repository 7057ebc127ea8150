"""What the documentation promises: the signatures of `Api` (signatures.txt), and the members of what it returns.

Three things are compared with it: `Api` itself, the cases of the parity suite, and the page docs/api.md.
"""

from __future__ import annotations

import inspect
from pathlib import Path

TABLE = Path(__file__).with_name("signatures.txt")


def api_methods() -> dict[str, inspect.Signature]:
    """The documented methods of `Api`, and their arguments without `self`; the class itself is `__init__`."""
    found = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        name, parenthesis, rest = line.partition("(")
        if parenthesis:
            arguments = inspect.signature(eval(f"lambda {rest.removesuffix(')')}: None"))
            found["__init__" if name == "Api" else name.removeprefix(".")] = arguments
    return found


def api_properties() -> list[str]:
    """The documented properties of `Api`."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return [name.removeprefix(".") for line in lines if "(" not in line for name in line.split()]


_LISTING = "__iter__ __getitem__ more cursor per_page"

MEMBERS = {
    kind: names.split()
    for kind, names in {
        "Run": """
            id name entity project state tags notes description group job_type commit sweep_name created_at
            heartbeat_at read_only history_line_count storage_id config rawconfig json_config summary summary_metrics
            system_metrics metadata user sweep path url lastHistoryStep history_keys history scan_history files file
            upload_file logged_artifacts used_artifacts log_artifact use_artifact update save delete
            wait_until_finished load load_full_data to_html stop update_state console_logs download_history_exports
        """,
        "HTTPSummary": "keys items get update __getitem__ __setitem__ __delitem__ __contains__",
        "HistoryScan": "__iter__ __next__ min_step max_step page_size keys",
        "Runs": f"entity project filters order histories configs summaries upgrade_to_full __len__ {_LISTING}",
        "Project": "id name entity created_at is_benchmark owner path url to_html artifacts_types collections sweeps",
        "Projects": f"entity {_LISTING}",
        "File": "id name url direct_url mimetype updated_at md5 size size_bytes path_uri download delete",
        "Files": f"__len__ {_LISTING}",
        "ConsoleLogs": "__iter__ more cursor",
        "ArtifactType": "id name type entity project load collections collection",
        "ArtifactTypes": _LISTING,
        "ArtifactCollection": """
            id name type entity project organization description tags aliases created_at updated_at is_sequence
            artifacts load save delete change_type
        """,
        "ArtifactCollections": f"__len__ {_LISTING}",
        "Artifacts": f"__len__ {_LISTING}",
        "RunArtifacts": f"__len__ {_LISTING}",
        "ArtifactFiles": f"__len__ {_LISTING}",
        "Artifact": """
            id name entity project version qualified_name collection source_entity source_project source_version
            source_name source_qualified_name source_collection is_link linked_artifacts source_artifact type
            description metadata ttl aliases tags distributed_id incremental use_as state manifest digest size
            commit_hash file_count created_at updated_at linked_at history_step url is_draft add_file add_dir new_file
            add_reference add remove get_added_local_path_name finalize new_draft save wait delete link unlink used_by
            logged_by json_encode get_entry get_path get files file download checkout verify
        """,
        "ArtifactManifestEntry": """
            path digest ref birth_artifact_id size extra parent_artifact download ref_target ref_url to_json
        """,
        "Sweep": """
            id name entity project state config order best_loss expected_run_count run_count method description runs
            best_run path url load to_html agent agents
        """,
        "Sweeps": f"__len__ {_LISTING}",
        "BetaReport": """
            id name display_name description user created_at updated_at entity project spec sections runs url to_html
        """,
        "Reports": f"__len__ {_LISTING}",
        "Job": "name call set_entrypoint",
        "RunQueue": """
            name entity id access prioritization_mode external_links type default_resource_config template_variables
            items delete create
        """,
        "QueuedRun": """
            id entity project queue_name project_queue priority state wait_until_running wait_until_finished delete
        """,
        "User": "id name username email admin teams api_keys user_api generate_api_key delete_api_key create",
        "Team": "id name members available read_only is_team invite create_service_account load create",
        "Member": "id name username email admin pending account_type api_key team delete",
    }.items()
}
"""The documented attributes, properties and methods of each class, without those that only frames have."""
