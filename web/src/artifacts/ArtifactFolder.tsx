import type { Build } from "@aws-sdk/client-codebuild";
import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Link from "@cloudscape-design/components/link";
import ProgressBar from "@cloudscape-design/components/progress-bar";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { slipway } from "../api/slipway";
import { Problem } from "../api/problem";
import type { ArtifactEntry } from "../api/slipway.gen";
import { inProgress } from "../builds/build";
import { size } from "../parts/bytes";
import { Empty } from "../parts/Empty";
import { ProblemAlert } from "../parts/ProblemAlert";
import { full } from "../parts/time";
import { foldersTo, type Artifact } from "./artifact";
import type { Wanted } from "./download";
import { useArtifactDownload } from "./useArtifactDownload";
import styles from "./artifacts.module.css";

/** One folder of an artifact, and what is known of the whole. */
export function ArtifactFolder({ build, artifact, folder, onFolder }: { build: Build; artifact: Artifact; folder: string; onFolder: (path: string) => void }) {
  const buildId = build.id ?? "";
  const running = inProgress(build);
  const identity = { buildId, ...(artifact.identifier === "" ? {} : { artifactIdentifier: artifact.identifier }) };
  const pages = useInfiniteQuery({
    queryKey: ["builds", "artifact", buildId, artifact.identifier, folder, running],
    queryFn: ({ pageParam, signal }) => slipway("ListBuildArtifact", { ...identity, path: folder, maxResults: 100, ...(pageParam === "" ? {} : { nextToken: pageParam }) }, signal),
    initialPageParam: "",
    getNextPageParam: (page) => page.nextToken,
    placeholderData: keepPreviousData,
  });
  const download = useArtifactDownload();
  const about = pages.data?.pages[0];
  const entries = pages.data?.pages.flatMap((p) => p.entries ?? []) ?? [];
  const missing = pages.error !== null && Problem.of(pages.error).name === "ResourceNotFoundException";
  const whole = about?.packaging === "ZIP";
  const save = (wanted: Omit<Wanted, "buildId">, name: string) => download.start({ ...identity, ...wanted }, name);
  return (
    <SpaceBetween size="m">
      <div className={styles["about"]}>
        <KeyValuePairs
          columns={3}
          minColumnWidth={180}
          items={[
            { label: "Location", value: artifact.location },
            { label: "Files", value: about === undefined ? "–" : `${about.files ?? 0}, ${size(about.bytes ?? 0)}` },
            { label: "Archive", value: whole ? size(about.archiveBytes ?? 0) : "–" },
            { label: "SHA-256", value: artifact.sha256 ?? "–" },
            { label: "MD5", value: artifact.md5 ?? "–" },
          ]}
        />
      </div>
      {about?.replaced === true && !missing && (
        <Alert type="warning" header="A later build uploaded to the same place">
          What is there now is not, or not only, what this build left. Give the project’s artifacts the namespace type BUILD_ID to keep those of each build.
        </Alert>
      )}
      {!missing && <ProblemAlert error={pages.error} doing="list the artifact" retry={() => void pages.refetch()} />}
      <ProblemAlert error={download.problem} doing="download" />
      {download.path !== undefined && (
        <SpaceBetween direction="horizontal" size="s" alignItems="center">
          <ProgressBar value={Math.round(download.part * 100)} label={`Downloading ${download.path === "" ? "the archive" : download.path}`} />
          <Button onClick={download.cancel}>Cancel the download</Button>
        </SpaceBetween>
      )}
      <Table<ArtifactEntry>
        variant="embedded"
        ariaLabels={{ tableLabel: "Files of the artifact" }}
        header={
          <SpaceBetween direction="horizontal" size="s" alignItems="center">
            <Folders folder={folder} onFolder={onFolder} />
            {whole && (
              <Button iconName="download" disabled={missing} onClick={() => save({}, about.archiveName ?? "artifact.zip")}>
                Download the archive
              </Button>
            )}
          </SpaceBetween>
        }
        loading={pages.isPending}
        loadingText="Loading the artifact"
        items={missing ? [] : entries}
        trackBy={(e) => `${e.kind} ${e.path}`}
        columnDefinitions={[
          { id: "name", header: "Name", isRowHeader: true, cell: (e) => <Name entry={e} onFolder={onFolder} />, minWidth: 200 },
          { id: "size", header: "Size", cell: (e) => size(e.bytes ?? 0), minWidth: 100 },
          { id: "files", header: "Files", cell: (e) => (e.kind === "FOLDER" ? (e.files ?? 0) : "–"), minWidth: 80 },
          { id: "sum", header: "CRC-32", cell: (e) => (e.crc32 === undefined ? "–" : <Box variant="code">{e.crc32}</Box>), minWidth: 110 },
          { id: "modified", header: "Modified", cell: (e) => (e.modified === undefined ? "–" : full(e.modified)), minWidth: 190 },
          {
            id: "download",
            header: "Actions",
            cell: (e) =>
              e.kind === "FILE" && (
                <Button variant="inline-link" ariaLabel={`Download ${e.path}`} onClick={() => save({ path: e.path }, e.name)}>
                  Download
                </Button>
              ),
            minWidth: 110,
          },
        ]}
        empty={missing ? <Missing running={running} said={Problem.of(pages.error).message} /> : <Empty title="The folder is empty" />}
        footer={
          pages.hasNextPage && (
            <Box textAlign="center">
              <Button loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
                Show more files
              </Button>
            </Box>
          )
        }
      />
    </SpaceBetween>
  );
}

function Missing({ running, said }: { running: boolean; said: string }) {
  return running ? <Empty title="Nothing is uploaded yet">Artifacts are uploaded after POST_BUILD, in the phase UPLOAD_ARTIFACTS.</Empty> : <Empty title="The artifact is not there">{said}</Empty>;
}

function Name({ entry, onFolder }: { entry: ArtifactEntry; onFolder: (path: string) => void }) {
  if (entry.kind === "FILE") return <>{entry.name}</>;
  return (
    <Link ariaLabel={`Folder ${entry.path}`} onFollow={() => onFolder(entry.path)}>
      {entry.name}/
    </Link>
  );
}

/** The folders above, each a way back. */
function Folders({ folder, onFolder }: { folder: string; onFolder: (path: string) => void }) {
  const all = foldersTo(folder);
  return (
    <nav aria-label="Folders of the artifact">
      {all.length === 0 ? "All files" : <Link onFollow={() => onFolder("")}>All files</Link>}
      {all.map(({ name, path }, i) => (
        <span key={path}>
          {" / "}
          {i === all.length - 1 ? <span aria-current="location">{name}</span> : <Link onFollow={() => onFolder(path)}>{name}</Link>}
        </span>
      ))}
    </nav>
  );
}
