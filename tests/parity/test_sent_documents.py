"""Every document that came over the wire while the cases were played is valid in the server's schema.

The official client's, the official SDK's, and ours. An operation that is expected and was not seen is a failure: a
test that saw nothing has shown nothing.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate
from stage import Stage
from test_parity import TABLE

from runframe.resources.documents import operations
from runframe.server.resolvers.schema import schema_text

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

EXPECTED = {
    sender: set(names.split())
    for sender, names in {
        "official SDK": """
            UpsertBucket ServerFeaturesQuery CreateRunFiles CreateArtifact CreateArtifactManifest CreateArtifactFiles
            UpdateArtifactManifest CommitArtifact
        """,
        "official client": """
            Viewer GetViewer GetDefaultEntity ServerFeaturesQuery GetProjects GetProject CreateProject Run Runs
            RunState RunHistoryKeys RunFullHistory RunSampledHistory HistoryPage SampledHistoryPage RunParquetHistory
            RunFiles CreateRunFiles MarkRunFilesUploaded deleteFiles UpsertBucket UpdateRunState StopRun DeleteRun
            RunConsoleLogPage RunConsoleLogTail GetSweep GetSweeps GetSweepAgents GetSweepAgent GetAgentRuns
            ProjectViews SearchUsers CreateUserFromAdmin GenerateApiKey DeleteApiKey GetTeamEntity CreateTeam
            CreateInvite DeleteInvite CreateServiceAccount ProjectRunQueues CreateDefaultResourceConfig CreateRunQueue
            UpsertRunQueue GetRunQueueMetadata GetDefaultResourceConfig GetRunQueueItems GetRunQueueItem
            pushToRunQueueByName pushToRunQueue DeleteRunQueue fetchRunQueuesFromProject DeleteFromRunQueue
            ArtifactMembershipByName ArtifactByID FetchArtifactManifest GetArtifactMembershipFileUrls
            ArtifactMembershipFiles ArtifactUsedBy ArtifactCreatedBy ArtifactType ProjectArtifactType
            ProjectArtifactTypes ProjectArtifactCollection ProjectArtifactCollections ArtifactTypeArtifactCollections
            ArtifactCollectionAliases ProjectArtifacts RunInputArtifacts RunOutputArtifacts FetchLinkedArtifacts
            UseArtifact CreateArtifact LinkArtifact UnlinkArtifact AddAliases DeleteAliases UpdateArtifact
            DeleteArtifact UpdateArtifactSequence UpdateArtifactSequenceType AddArtifactCollectionTags
            DeleteArtifactCollectionTags DeleteArtifactSequence
        """,
    }.items()
}
"""Operations by who sends them. `official client` also stands for the parts of the SDK that go through it."""


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(schema_text())


@pytest.fixture(scope="module")
def played(stage: Stage) -> Stage:
    """The stage after all cases."""
    for parameters in TABLE:
        stage.play(*parameters.values)  # type: ignore[arg-type]
    return stage


@pytest.mark.parametrize("sender", EXPECTED)
def test_what_was_expected_was_sent(played: Stage, sender: str) -> None:
    assert sorted(EXPECTED[sender] - played.recording.operations(sender)) == []


def test_every_document_that_was_sent_is_valid(played: Stage, schema: GraphQLSchema) -> None:
    wrong = {
        (sender, name): [error.message for text in texts for error in validate(schema, parse(text))]
        for (sender, name), texts in played.recording.documents.items()
    }
    assert {key: errors for key, errors in wrong.items() if errors} == {}
    assert played.recording.unknown == set()


def test_ours_are_the_ones_that_are_kept_in_files(played: Stage) -> None:
    folder = files("runframe.resources.documents")
    nouns = [Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".graphql")]
    kept = {name for noun in nouns for name in operations(noun)}
    assert len(kept) > 50
    # Documents of one's own: the case of Api.client, and the report of the older form.
    assert played.recording.operations("ours") - kept <= {"Q", "UpsertView"}
